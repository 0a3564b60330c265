/** Images with variables of UEFI, through a real client. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import {
  CopyImageCommand,
  DescribeImageAttributeCommand,
  DescribeInstanceTypesCommand,
  type EC2Client,
  type RegisterImageCommandInput,
} from '@aws-sdk/client-ec2'
import { encodeUefiData } from '../src/qemu/uefi-data.ts'
import { readVariables } from '../src/qemu/uefi-store.ts'
import { blankSnapshot, registerBlank } from './blank-image.ts'
import { region, startSystem } from './system.ts'

test('an image keeps its UEFI data and its TPM, and so does its copy', async (context) => {
  const system = await startSystem(context)
  const { ec2 } = system
  const snapshotId = await blankSnapshot(system)
  const register = (input: Partial<RegisterImageCommandInput> & { readonly Name: string }) =>
    registerBlank(system, snapshotId, input)
  const variables = readVariables(await readFile('/usr/share/OVMF/OVMF_VARS_4M.ms.fd'))
  const UefiData = encodeUefiData(variables, undefined)

  const BootMode = 'uefi'
  const refused: readonly (readonly [Partial<RegisterImageCommandInput>, string])[] = [
    [{ TpmSupport: 'v2.0' }, 'InvalidParameterCombination'],
    [{ TpmSupport: 'v2.0', BootMode: 'uefi-preferred' }, 'InvalidParameterCombination'],
    [{ TpmSupport: 'v1.2' as 'v2.0', BootMode }, 'InvalidParameterValue'],
    [{ UefiData }, 'InvalidParameterCombination'],
    [{ UefiData, BootMode: 'legacy-bios' }, 'InvalidParameterCombination'],
    [{ UefiData: 'no UEFI data', BootMode }, 'InvalidParameterValue'],
    [{ UefiData: UefiData.slice(0, -8), BootMode }, 'InvalidParameterValue'],
    [{ UefiData: 'A'.repeat(64_004), BootMode }, 'InvalidParameterValue'],
  ]
  for (const [input, name] of refused) {
    await assert.rejects(register({ ...input, Name: 'refused' }), { name })
  }

  const ask = async (client: EC2Client, ImageId: string) => {
    const [tpm, uefi] = await Promise.all(
      (['tpmSupport', 'uefiData'] as const).map((Attribute) =>
        client.send(new DescribeImageAttributeCommand({ ImageId, Attribute })),
      ),
    )
    return [tpm?.TpmSupport?.Value, uefi?.UefiData?.Value]
  }
  const imageId = await register({ Name: 'kept', BootMode, TpmSupport: 'v2.0', UefiData })
  assert.deepEqual(await ask(ec2, imageId), ['v2.0', UefiData])
  assert.deepEqual(await ask(ec2, await register({ Name: 'plain', BootMode })), [
    undefined,
    undefined,
  ])

  const west = system.clientWith({ region: 'us-west-2' })
  const source = { SourceRegion: region, SourceImageId: imageId }
  const { ImageId = '' } = await west.send(new CopyImageCommand({ ...source, Name: 'copied' }))
  assert.deepEqual(await ask(west, ImageId), ['v2.0', UefiData])

  const { InstanceTypes } = await ec2.send(
    new DescribeInstanceTypesCommand({ InstanceTypes: ['t3.micro', 't2.micro'] }),
  )
  assert.deepEqual(InstanceTypes?.map(({ NitroTpmSupport }) => NitroTpmSupport).sort(), [
    'supported',
    'unsupported',
  ])
})
