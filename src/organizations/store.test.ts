import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import type { AccountRequest, Member, Organization, Unit } from './organization.ts'
import { fullAccess } from './policy.ts'
import {
  disableType,
  enableType,
  insertAttachment,
  insertPolicy,
  listInherited,
} from './policy-store.ts'
import {
  completeAccountRequest,
  findAccountRequest,
  insertAccountRequest,
  listDueRequests,
} from './request-store.ts'
import {
  findMember,
  findMembership,
  findOrganizationOf,
  findStanding,
  insertMember,
  insertOrganization,
  insertUnit,
  listClosing,
  listMembers,
  listUnits,
  lockOrganization,
  moveMember,
  setClosure,
} from './store.ts'

const at = new Date(1_000_000)
const organization: Organization = {
  id: 'o-abcdefghij',
  managementAccountId: '111111111111',
  rootId: 'r-abcd',
  featureSet: 'ALL',
  createdAt: at,
}
const outer: Unit = {
  id: 'ou-abcd-aaaaaaaa',
  organizationId: organization.id,
  parentId: organization.rootId,
  name: 'outer',
}
const inner: Unit = { ...outer, id: 'ou-abcd-bbbbbbbb', parentId: outer.id, name: 'inner' }
const member: Member = {
  accountId: '222222222222',
  organizationId: organization.id,
  parentId: organization.rootId,
  name: 'two',
  email: 'two@example.com',
  joinedMethod: 'CREATED',
  joinedAt: at,
  closure: undefined,
}

for (const [name, start] of Object.entries(databases)) {
  describe(`organizations on ${name}`, () => {
    test('an account is in its unit and in all units above it', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, async (tx) => {
        assert(await insertOrganization(tx, organization))
        await insertUnit(tx, outer)
        await insertUnit(tx, inner)
        assert(await insertMember(tx, member))
        assert(await moveMember(tx, { accountId: member.accountId, from: 'r-abcd', to: inner.id }))
      })
      assert.deepEqual(await findMembership(reads, member.accountId), {
        organizationArn: 'arn:aws:organizations::111111111111:organization/o-abcdefghij',
        unitArns: [
          'arn:aws:organizations::111111111111:ou/o-abcdefghij/ou-abcd-bbbbbbbb',
          'arn:aws:organizations::111111111111:ou/o-abcdefghij/ou-abcd-aaaaaaaa',
        ],
      })
      assert.equal(await findMembership(reads, '333333333333'), undefined)
      assert.deepEqual(await findOrganizationOf(reads, member.accountId), organization)
      assert.deepEqual(
        await findMember(reads, { organizationId: organization.id, accountId: member.accountId }),
        { ...member, parentId: inner.id },
      )
      const place = { organizationId: organization.id, parentId: outer.id }
      assert.deepEqual(await listUnits(reads, place), [inner])
      assert.deepEqual(await listMembers(reads, place), [])
      assert.equal((await listMembers(reads, { ...place, parentId: inner.id })).length, 1)
      assert.equal((await listMembers(reads, { organizationId: organization.id })).length, 1)
    })

    test('an account is in one organization, and at one place', async (context) => {
      const { writes } = await start(context)
      await transaction(writes, async (tx) => {
        assert(await insertOrganization(tx, organization))
        assert(!(await insertOrganization(tx, { ...organization, id: 'o-2', rootId: 'r-2' })))
        assert(await insertMember(tx, member))
        assert(!(await insertMember(tx, { ...member, name: 'again' })))
        const { accountId } = member
        assert(!(await moveMember(tx, { accountId, from: inner.id, to: outer.id })))
        await insertUnit(tx, outer)
      })
      const again = transaction(writes, (tx) => insertUnit(tx, { ...outer, id: 'ou-abcd-3' }))
      await assert.rejects(again, { code: 'DuplicateOrganizationalUnitException' })
    })

    test('what came of the wish for an account is kept, and told once', async (context) => {
      const { writes, reads } = await start(context)
      const request: AccountRequest = {
        id: 'car-1',
        organizationId: organization.id,
        accountName: 'two',
        email: 'two@example.com',
        roleName: 'in',
        tags: [{ key: 'a', value: 'b' }],
        requestedAt: at,
        outcome: undefined,
      }
      const failed = { completedAt: at, failureReason: 'EMAIL_ALREADY_EXISTS' } as const
      const made = { completedAt: at, accountId: member.accountId }
      await transaction(writes, async (tx) => {
        await insertOrganization(tx, organization)
        await insertAccountRequest(tx, request)
        await insertAccountRequest(tx, { ...request, id: 'car-2' })
        assert.deepEqual(await listDueRequests(tx), ['car-1', 'car-2'])
        assert(await completeAccountRequest(tx, 'car-1', failed))
        assert(await completeAccountRequest(tx, 'car-2', made))
        assert(!(await completeAccountRequest(tx, 'car-2', failed)))
      })
      assert.deepEqual(await listDueRequests(reads), [])
      const organizationId = organization.id
      const find = (id: string, of = organizationId) =>
        findAccountRequest(reads, { organizationId: of, id })
      assert.deepEqual(await find('car-1'), { ...request, outcome: failed })
      assert.deepEqual(await find('car-2'), { ...request, id: 'car-2', outcome: made })
      assert.equal(await find('car-1', 'o-2'), undefined)
    })

    test('an account is closed once, and known to be', async (context) => {
      const { writes, reads } = await start(context)
      const { accountId } = member
      await transaction(writes, async (tx) => {
        await insertOrganization(tx, organization)
        await insertMember(tx, member)
        assert(await lockOrganization(tx, organization.id))
        assert(!(await lockOrganization(tx, 'o-2')))
        assert(await setClosure(tx, accountId, { from: undefined, to: 'pending' }))
        assert(!(await setClosure(tx, accountId, { from: undefined, to: 'pending' })))
        assert.deepEqual(await listClosing(tx), [accountId])
        assert(await setClosure(tx, accountId, { from: 'pending', to: 'done' }))
      })
      assert.deepEqual(await listClosing(reads), [])
      assert.deepEqual(await findStanding(reads, accountId), {
        isClosed: true,
        isManagement: false,
        organizationId: organization.id,
        revision: 1,
        policyTypes: [],
      })
      assert.equal(await findStanding(reads, '333333333333'), undefined)
    })

    test('what holds for an account is told level by level, from the root down', async (context) => {
      const { writes, reads } = await start(context)
      const organizationId = organization.id
      const type = 'SERVICE_CONTROL_POLICY'
      const policy = {
        id: 'p-00000001',
        type,
        name: 'one',
        description: '',
        content: '{}',
        changedAt: at,
      } as const
      const attachment = { organizationId, policyId: policy.id, type } as const
      const heights = async () =>
        (await listInherited(reads, member.accountId, type)).map((one) => [
          one.height,
          one.policy?.id,
        ])
      await transaction(writes, async (tx) => {
        await insertOrganization(tx, organization)
        await insertUnit(tx, outer)
        await insertUnit(tx, inner)
        await insertMember(tx, { ...member, parentId: inner.id })
        await insertPolicy(tx, organizationId, policy)
        assert(await enableType(tx, organizationId, type))
        assert(!(await enableType(tx, organizationId, type)))
        assert(await insertAttachment(tx, { ...attachment, targetId: outer.id }, at))
        assert(!(await insertAttachment(tx, { ...attachment, targetId: outer.id }, at)))
        const full = { ...attachment, policyId: fullAccess.id, targetId: organization.rootId }
        await insertAttachment(tx, full, at)
      })
      assert.deepEqual(await heights(), [
        [3, fullAccess.id],
        [2, policy.id],
        [1, undefined],
        [0, undefined],
      ])
      assert.deepEqual((await findStanding(reads, member.accountId))?.policyTypes, [type])
      const again = transaction(writes, (tx) =>
        insertPolicy(tx, organizationId, { ...policy, id: 'p-00000002' }),
      )
      await assert.rejects(again, { code: 'DuplicatePolicyException' })
      await transaction(writes, (tx) => disableType(tx, organizationId, type))
      assert.deepEqual(
        (await heights()).map(([, id]) => id),
        [undefined, undefined, undefined, undefined],
      )
    })
  })
}
