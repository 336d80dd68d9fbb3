import { concatHex, encodeAbiParameters, encodeFunctionData, getContractAddress, type Hex } from 'viem';
import { compareIds } from '../../domain/units/identity.ts';
import { Fault } from '../../errors/fault.ts';
import { type ContractArtifact, runtimeCodeOf } from './contract-artifact.ts';
import type { Call, LedgerNode } from './ledger-node.ts';
import type { ChainIdentity, Outbox } from './outbox.ts';
import { SETTLEMENT_ABI } from './settlement-abi.ts';
import { idWord } from './settlement-content.ts';
import { SettlementContract } from './settlement-contract.ts';

export interface DeploymentOptions {
  readonly chainId: number;
  /** The node is ours and may lose its chain: then the contract is deployed anew and everything settled again. */
  readonly embedded: boolean;
  readonly onNotice: (fault: Fault) => void;
}

/** Which chain, which contract, which members: what must be known before anything is settled. */
export class Deployment {
  readonly #node: LedgerNode;
  readonly #outbox: Outbox;
  readonly #options: DeploymentOptions;
  readonly #creationCode: Hex;
  readonly #runtimeCode: Hex;
  #contract: SettlementContract | null = null;
  /** Member ids by number minus one: what the chain has registered, and what the outbox has numbered. */
  #registered = 0;
  #numbers = new Map<string, number>();
  #lost = 0;

  constructor(node: LedgerNode, outbox: Outbox, artifact: ContractArtifact, options: DeploymentOptions) {
    this.#node = node;
    this.#outbox = outbox;
    this.#options = options;
    this.#creationCode = artifact.creationCode as Hex;
    this.#runtimeCode = runtimeCodeOf(artifact, node.settler);
  }

  /** Settlements that stood on a chain which is no more. */
  get lost(): number {
    return this.#lost;
  }

  /** Is this the chain that the outbox knows? @throws Fault LEDGER_CHAIN_CHANGED */
  async identify(): Promise<void> {
    this.#contract = null;
    const chainId = await this.#node.chainId();
    if (chainId !== this.#options.chainId) {
      throw new Fault('LEDGER_CHAIN_CHANGED', `the node serves chain ${chainId}, not ${this.#options.chainId}`);
    }
    const known = this.#outbox.identity();
    if (known === null) return;
    const genesis = await this.#genesis();
    if (genesis !== known.genesis) this.#changed(`another genesis block: ${genesis}, not ${known.genesis}`);
    else if (known.chainId !== chainId) this.#changed(`the outbox settled on chain ${known.chainId}`);
  }

  /** The contract, its code compared and its members read; null while it has to be deployed. */
  async contract(): Promise<SettlementContract | null> {
    if (this.#contract !== null) return this.#contract;
    const identity = this.#outbox.identity() ?? (await this.#findDeployed());
    if (identity === null) return null;
    const code = await this.#node.code(identity.address);
    if (code === '0x' && this.#isUnderWay()) return null;
    if (code !== this.#runtimeCode) {
      this.#changed(code === '0x' ? `no contract at ${identity.address}` : `another contract at ${identity.address}`);
      return null;
    }
    const contract = new SettlementContract(this.#node, identity.address);
    await this.#readMembers(contract);
    this.#contract = contract;
    return contract;
  }

  creationData(): Hex {
    return concatHex([this.#creationCode, encodeAbiParameters([{ type: 'address' }], [this.#node.settler])]);
  }

  /** What the outbox will know when a deployment under this nonce is mined. */
  async identityAt(nonce: number): Promise<ChainIdentity> {
    const address = getContractAddress({ from: this.#node.settler, nonce: BigInt(nonce) });
    return { chainId: this.#options.chainId, genesis: await this.#genesis(), address };
  }

  /** The numbers of these members, or null while the chain lacks one; new members are numbered at once. */
  numbersOf(members: readonly string[]): ReadonlyMap<string, number> | null {
    const fresh = members.filter((member) => !this.#numbers.has(member)).sort(compareIds);
    if (fresh.length > 0) {
      this.#outbox.addMembers(this.#numbers.size + 1, fresh);
      for (const member of fresh) this.#numbers.set(member, this.#numbers.size + 1);
    }
    return members.every((member) => (this.#numbers.get(member) ?? 0) <= this.#registered) ? this.#numbers : null;
  }

  /** The call that registers the next members, or null where the chain knows all. */
  async registration(limit: number): Promise<Call | null> {
    if (this.#contract === null || this.#registered === this.#numbers.size) return null;
    await this.#readMembers(this.#contract);
    if (this.#registered === this.#numbers.size) return null;
    const first = this.#registered + 1;
    const ids = [...this.#numbers.keys()].slice(this.#registered, this.#registered + limit).map(idWord);
    const data = encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: 'registerMembers', args: [first, ids] });
    return { to: this.#contract.address, data };
  }

  /** Member ids in the order of their numbers, as far as this process knows them. */
  memberIds(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  /** An outbox that was lost: the contract of the settler's first transaction is still ours. */
  async #findDeployed(): Promise<ChainIdentity | null> {
    const identity = await this.identityAt(0);
    if ((await this.#node.code(identity.address)) !== this.#runtimeCode) return null;
    this.#outbox.adopt(identity);
    return identity;
  }

  #isUnderWay(): boolean {
    return this.#outbox.openTransactions().some(({ kind }) => kind === 'deploy');
  }

  /** The chain's numbers and ours must agree; what the chain lacks is registered, what the outbox lacks is learnt. */
  async #readMembers(contract: SettlementContract): Promise<void> {
    const onChain = await contract.members();
    const kept = this.#outbox.members();
    const differs = onChain.findIndex((id, at) => at < kept.length && kept[at] !== id);
    if (differs !== -1) {
      const text = `member ${differs + 1} is ${onChain[differs]} on chain and ${kept[differs]} in the outbox`;
      throw new Fault('LEDGER_CHAIN_CHANGED', text);
    }
    const fresh = onChain.slice(kept.length);
    if (fresh.length > 0) this.#outbox.addMembers(kept.length + 1, fresh);
    this.#registered = onChain.length;
    this.#numbers = new Map([...kept, ...fresh].map((id, at) => [id, at + 1]));
  }

  async #genesis(): Promise<Hex> {
    const genesis = await this.#node.block(0);
    if (genesis === null) throw new Fault('LEDGER_UNREACHABLE', 'the node has no genesis block');
    return genesis.hash;
  }

  /** @throws Fault LEDGER_CHAIN_CHANGED unless the node is embedded: then everything is settled again. */
  #changed(how: string): void {
    const fault = new Fault('LEDGER_CHAIN_CHANGED', how);
    if (!this.#options.embedded) throw fault;
    this.#options.onNotice(fault);
    this.#lost += this.#outbox.startOver();
  }
}
