import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import type { Member, Organization, Unit } from './organization.ts'
import {
  findAccountRequest,
  findMember,
  findMembership,
  findOrganizationOf,
  insertAccountRequest,
  insertMember,
  insertOrganization,
  insertUnit,
  listMembers,
  listUnits,
  moveMember,
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

    test('what came of the wish for an account is kept', async (context) => {
      const { writes, reads } = await start(context)
      const request = {
        id: 'car-1',
        organizationId: organization.id,
        accountName: 'two',
        outcome: { failureReason: 'EMAIL_ALREADY_EXISTS' },
        requestedAt: at,
        completedAt: at,
      }
      const made = { ...request, id: 'car-2', outcome: { accountId: member.accountId } }
      await transaction(writes, async (tx) => {
        await insertOrganization(tx, organization)
        await insertAccountRequest(tx, request)
        await insertAccountRequest(tx, made)
      })
      const organizationId = organization.id
      assert.deepEqual(await findAccountRequest(reads, { organizationId, id: 'car-1' }), request)
      assert.deepEqual(await findAccountRequest(reads, { organizationId, id: 'car-2' }), made)
      assert.equal(
        await findAccountRequest(reads, { organizationId: 'o-2', id: 'car-1' }),
        undefined,
      )
    })
  })
}
