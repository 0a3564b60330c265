import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvOf, tableOf } from './table.ts'

test('a cell is no formula to a spreadsheet, whatever is in it', () => {
  const cells = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', 'a "quoted", text', 'plain', '']
  assert.equal(
    csvOf(
      ['a'],
      cells.map((cell) => [cell]),
    ),
    [
      `"a"`,
      `"'=1+1"`,
      `"'+1"`,
      `"'-1"`,
      `"'@SUM(A1)"`,
      `"'\t=1"`,
      `"'\r=1"`,
      `"a ""quoted"", text"`,
      `"plain"`,
      `""`,
    ].join('\r\n'),
  )
})

test('a table has columns of one width, and nothing that a terminal obeys', () => {
  const table = tableOf(
    ['ID', 'NAME'],
    [
      ['1', 'long name'],
      ['22', '\u001b[2J\n\u009b'],
    ],
  )
  assert.equal(table, 'ID  NAME\n1   long name\n22  ?[2J??')
})
