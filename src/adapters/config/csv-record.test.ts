import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnOfField, splitRecord } from './csv-record.ts';

test.each([
  ['a,b,c', ['a', 'b', 'c']],
  [' a , b ,', ['a', 'b', '']],
  ['', ['']],
  ['"a,b", "c ""d"" " ,e', ['a,b', 'c "d" ', 'e']],
  ['"",x', ['', 'x']],
])('%j has the fields %j', (line, fields) => {
  expect(splitRecord(line)).toEqual(fields);
});

test.each(['"a', 'a,"', '"a"b,c', '"a""'])('%j has a quote that is not closed', (line) => {
  expect(splitRecord(line)).toBeNull();
});

test('what is quoted by the rules is read back', () => {
  const field = fc.string().filter((text) => !/[\r\n]/.test(text));
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), (fields) => {
      const line = fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
      expect(splitRecord(line)).toEqual(fields);
    }),
  );
});

test('columns count from 1 and skip the blanks before a field', () => {
  expect([0, 1, 2, 3].map((field) => columnOfField('a, b,,', field))).toEqual([1, 4, 6, 7]);
  expect(columnOfField('"x,y",z', 1)).toBe(7);
  expect(columnOfField('a,b', 2)).toBe(4);
});
