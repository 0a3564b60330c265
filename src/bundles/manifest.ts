/**
 * The manifest of a bundle, in the XML of EC2's AMI tools. The format is described in
 * docs/formats/bundle.md.
 */
import { type Digest, isDigest } from '../lib/digest.ts'
import { BadBundle, type BundleManifest, type BundlePart } from './bundle.ts'
import { bundledBytesMax, diskBytesMax, manifestBytesMax, partsMax } from './bundle.ts'
import { type Element, find, readXml } from './xml.ts'

const version = '2007-10-10'
/** A disk has whole sectors. */
export const sectorBytes = 512
const architectures = ['i386', 'x86_64', 'arm64']
/** What no other installation could undo: the key is for EC2, or for whoever made the bundle. */
const encrypted = ['ec2_encrypted_key', 'user_encrypted_key', 'ec2_encrypted_iv']

/** What the bytes of a manifest say. Throws `BadBundle`. */
export function parseManifest(bytes: Uint8Array): BundleManifest {
  if (bytes.length > manifestBytesMax) throw new BadBundle('it is too long')
  const root = readXml(decodeText(bytes))
  const image = find(root, 'image')
  if (root.name !== 'manifest' || !image) throw new BadBundle('it has no image')
  if (find(root, 'version')?.text !== version) {
    throw new BadBundle(`its version is not ${version}`)
  }
  if ((find(image, 'type')?.text ?? 'machine') !== 'machine') {
    throw new BadBundle('it is not of a machine')
  }
  if (encrypted.some((name) => find(image, name))) {
    throw new BadBundle('its parts are encrypted for somebody else')
  }
  for (const name of ['kernel_id', 'ramdisk_id']) {
    if (find(root, 'machine_configuration', name)?.text) {
      throw new BadBundle('it needs a kernel beside its disk')
    }
  }
  const architecture = find(root, 'machine_configuration', 'architecture')?.text
  if (architecture !== undefined && !architectures.includes(architecture)) {
    throw new BadBundle('its architecture is unknown')
  }
  return {
    architecture,
    rootDeviceName: readRootDevice(root),
    sizeBytes: readDiskSize(find(image, 'size')?.text),
    bundledSizeBytes: readNumber(
      find(image, 'bundled_size')?.text,
      'bundled size',
      bundledBytesMax,
    ),
    digest: readDigest(find(image, 'digest')),
    parts: readParts(find(image, 'parts')),
  }
}

export function writeManifest(
  manifest: Omit<BundleManifest, 'rootDeviceName'>,
  about: { readonly name: string; readonly user: string },
): Buffer {
  const digest = (one: Digest) =>
    `<digest algorithm="SHA256">${one.slice('sha256:'.length)}</digest>`
  const { architecture, sizeBytes, bundledSizeBytes, parts } = manifest
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<manifest>',
    `  <version>${version}</version>`,
    '  <bundler><name>imago</name></bundler>',
    `  <machine_configuration><architecture>${architecture ?? 'x86_64'}</architecture></machine_configuration>`,
    '  <image>',
    `    <name>${about.name}</name>`,
    `    <user>${about.user}</user>`,
    '    <type>machine</type>',
    `    ${digest(manifest.digest)}`,
    `    <size>${sizeBytes}</size>`,
    `    <bundled_size>${bundledSizeBytes}</bundled_size>`,
    `    <parts count="${parts.length}">`,
    ...parts.map(
      ({ name, digest: own }, index) =>
        `      <part index="${index}"><filename>${name}</filename>${digest(own)}</part>`,
    ),
    '    </parts>',
    '  </image>',
    '</manifest>',
    '',
  ]
  return Buffer.from(lines.join('\n'))
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new BadBundle('it is no text')
  }
}

function readParts(list: Element | undefined): readonly BundlePart[] {
  const parts = list?.children.filter(({ name }) => name === 'part') ?? []
  if (parts.length === 0 || parts.length > partsMax) throw new BadBundle('it has no parts')
  if (list?.attributes.get('count') !== String(parts.length)) {
    throw new BadBundle('it does not have as many parts as it says')
  }
  const names = new Set<string>()
  return parts.map((part, index) => {
    if (part.attributes.get('index') !== String(index)) {
      throw new BadBundle('its parts are not in their order')
    }
    const name = find(part, 'filename')?.text ?? ''
    if (!isPartName(name) || names.has(name)) {
      throw new BadBundle(`part ${index} has a name that it cannot have`)
    }
    names.add(name)
    return { name, digest: readDigest(find(part, 'digest')) }
  })
}

/** One file of the manifest's own folder. */
const isPartName = (name: string): boolean => /^[\w-][\w.() -]{0,199}$/.test(name)

function readRootDevice(root: Element): string | undefined {
  const mappings = find(root, 'machine_configuration', 'block_device_mapping')?.children ?? []
  const found = mappings.find((mapping) => find(mapping, 'virtual')?.text === 'root')
  const device = found && find(found, 'device')?.text
  if (device === undefined || /^\/dev\/\w{1,32}$/.test(device)) return device
  throw new BadBundle('its root device has no name of a device')
}

function readDigest(element: Element | undefined): Digest {
  const text = `sha256:${element?.text.toLowerCase() ?? ''}`
  const algorithm = element?.attributes.get('algorithm')?.toUpperCase().replace('-', '')
  if (algorithm === 'SHA256' && isDigest(text)) return text
  throw new BadBundle('it has a digest that is not a SHA-256')
}

function readDiskSize(text: string | undefined): number {
  const sizeBytes = readNumber(text, 'size', diskBytesMax)
  if (sizeBytes % sectorBytes === 0) return sizeBytes
  throw new BadBundle(`its size is not in sectors of ${sectorBytes} bytes`)
}

function readNumber(text: string | undefined, what: string, max: number): number {
  const value = /^\d{1,15}$/.test(text ?? '') ? Number(text) : 0
  if (value >= 1 && value <= max) return value
  throw new BadBundle(`its ${what} is not between 1 and ${max} bytes`)
}
