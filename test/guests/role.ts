/** A role for guests, and in a guest the SDK that calls the API with its credentials. */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { accountId, type TestSystem } from '../system.ts'
import { type Guest, runProgram } from './guest.ts'

const name = 'of-guests'

const documentOf = (statement: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statement })

/** Makes a role that EC2 may hand to instances, in a profile of the same name. It may do nothing. */
export async function makeRole(context: Pick<TestContext, 'after'>, system: TestSystem) {
  const iam = new IAMClient(system.settingsWith())
  const trail = new CloudTrailClient(system.settingsWith())
  context.after(() => [iam, trail].forEach((client) => client.destroy()))
  const Principal = { Service: 'ec2.amazonaws.com' }
  const AssumeRolePolicyDocument = documentOf({
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal,
  })
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }))
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: name }))
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: name, RoleName: name }))
  const put = async (PolicyName: string, statement: object) => {
    const PolicyDocument = documentOf(statement)
    await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName, PolicyDocument }))
  }
  return {
    name,
    /** Lets it look at VPCs, from within the instance that the credentials are of. */
    allowInside: () =>
      put('inside', {
        Effect: 'Allow',
        Action: 'ec2:DescribeVpcs',
        Resource: '*',
        Condition: {
          StringEquals: {
            'ec2:RoleDelivery': '2.0',
            'aws:SourceVpc': '${aws:EC2InstanceSourceVPC}',
            'aws:VpcSourceIp': '${aws:EC2InstanceSourcePrivateIPv4}',
          },
          ArnLike: { 'ec2:SourceInstanceARN': `arn:aws:ec2:*:${accountId}:instance/i-*` },
        },
      }),
    deny: () => put('never', { Effect: 'Deny', Action: 'ec2:*', Resource: '*' }),
    /** What the audit trail says of the last call of an action. */
    async lastCall(action: string) {
      const { Events = [] } = await trail.send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: action }],
        }),
      )
      return JSON.parse(Events[0]?.CloudTrailEvent ?? '{}') as {
        readonly sourceIPAddress: string
        readonly userIdentity: { readonly arn: string }
      }
    },
  }
}

const packages = '/usr/lib/python3/dist-packages'

/** The SDK in Debian's AWS CLI, as far as it needs for two services. */
const parts = [
  'six.py',
  'dateutil',
  'jmespath',
  'urllib3',
  'awscrt',
  '_awscrt.cpython-311-x86_64-linux-gnu.so',
  'awscli/__init__.py',
  'awscli/compat.py',
  'awscli/botocore',
]
const services = ['ec2', 'sts']

/** Finds credentials, Region and endpoint by itself, as any program in an instance does. */
const program = `
from urllib.request import Request, urlopen
import awscli
from botocore.exceptions import ClientError
from botocore.session import get_session

metadata = 'http://169.254.169.254/latest/'

def ask(path, method, headers):
    return urlopen(Request(metadata + path, headers=headers, method=method)).read().decode()

token = ask('api/token', 'PUT', {'X-aws-ec2-metadata-token-ttl-seconds': '60'})

def read(path):
    return ask('meta-data/' + path, 'GET', {'X-aws-ec2-metadata-token': token})

ec2 = get_session().create_client(
    'ec2', region_name=read('placement/region'), endpoint_url=read('services/endpoint')
)
try:
    print('vpcs:', len(ec2.describe_vpcs()['Vpcs']))
except ClientError as error:
    print(error.response['Error']['Code'], error)
`

/** Puts the SDK into a guest; answers what makes it call, and tells what came of that. */
export async function installSdk(
  context: Pick<TestContext, 'after'>,
  guest: Guest,
): Promise<() => Promise<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'imago-sdk-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const sdk = join(folder, 'sdk')
  await mkdir(sdk)
  const isLeftOut = /\/__pycache__$|\/botocore\/cacert\.pem$|\/botocore\/data\/[\w-]+$/
  const isNeeded = new RegExp(`/botocore/data/(${services.join('|')})$`)
  for (const part of parts) {
    await cp(join(packages, part), join(sdk, part), {
      recursive: true,
      filter: (path) => !isLeftOut.test(path) || isNeeded.test(path),
    })
  }
  await writeFile(join(sdk, 'call.py'), program)
  const archive = join(folder, 'sdk.tar.gz')
  const packed = await runProgram('tar', ['-czf', archive, '-C', folder, 'sdk'])
  assert.equal(packed.code, 0, packed.stderr)
  await guest.copy(archive, '/tmp/sdk.tar.gz')
  await guest.run('tar -xzf /tmp/sdk.tar.gz -C /tmp')
  return () => guest.run('PYTHONPATH=/tmp/sdk python3 /tmp/sdk/call.py')
}
