import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from 'jpeg-js'
import { jpegOfPpm } from './screenshot.ts'

test('a picture in PPM is the same picture in JPEG', () => {
  const [width, height] = [48, 16]
  const colours = [
    [200, 30, 30],
    [30, 200, 30],
    [30, 30, 200],
  ] as const
  const pixels = Array.from({ length: width * height }, (_, index) =>
    Buffer.from(colours[Math.floor((index % width) / 16)] ?? []),
  )
  const head = Buffer.from(`P6\n${width} ${height}\n255\n`)
  const picture = decode(jpegOfPpm(Buffer.concat([head, ...pixels])))
  assert.deepEqual([picture.width, picture.height], [width, height])
  for (const [index, colour] of colours.entries()) {
    const at = (8 * width + index * 16 + 8) * 4
    colour.forEach((value, channel) => {
      assert(Math.abs((picture.data[at + channel] ?? 0) - value) < 20, `${index}, ${channel}`)
    })
  }
})

test('what is no picture, or half of one, is not made a JPEG of', () => {
  assert.throws(() => jpegOfPpm(Buffer.from('\x89PNG\r\n')), /not a picture/)
  assert.throws(() => jpegOfPpm(Buffer.from('P6\n2 2\n255\nabc')), /not the pixels/)
})
