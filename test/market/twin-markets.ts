import { MemberTable } from '../../src/domain/market/member-table.ts';
import { NaiveMembers } from '../../src/domain/market/naive-members.ts';
import { NaiveProductBook } from '../../src/domain/market/naive-product-book.ts';
import { ProductBook } from '../../src/domain/market/product-book.ts';
import type { MarketMaker } from './market-command.ts';
import { type MarketModules, RestartingMarket } from './restarting-market.ts';

export const MODULES: MarketModules = { MemberTable, ProductBook };

export const naiveMarket: MarketMaker = (products) => {
  const members = new NaiveMembers();
  return { members, books: products.map((rules) => new NaiveProductBook(rules, members)) };
};

export const fastMarket: MarketMaker = (products) => new RestartingMarket(MODULES, products);
