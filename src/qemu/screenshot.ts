/**
 * A picture of a screen: QEMU writes it pixel by pixel, as PPM, and it is made a
 * JPEG of, which is what EC2 answers with.
 */
import assert from 'node:assert/strict'
import { encode } from 'jpeg-js'

/** Letters stay sharp, and a screen of text takes some 100 KiB. */
const quality = 80

/** The JPEG of a picture in PPM (P6), as `screendump` writes it. */
export function jpegOfPpm(ppm: Uint8Array): Uint8Array {
  const bytes = Buffer.from(ppm.buffer, ppm.byteOffset, ppm.byteLength)
  // The head is text: the kind, width and height, the brightest value, one white space.
  const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.toString('latin1', 0, 64))
  assert(head, 'not a picture as QEMU writes one')
  const [width, height] = [Number(head[1]), Number(head[2])]
  const pixels = bytes.subarray(head[0].length)
  assert.equal(pixels.length, width * height * 3, 'not the pixels that its head tells')
  const data = Buffer.alloc(width * height * 4, 0xff)
  for (let index = 0; index < width * height; index++) {
    pixels.copy(data, index * 4, index * 3, index * 3 + 3)
  }
  return encode({ width, height, data }, quality).data
}
