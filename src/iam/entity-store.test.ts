import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { type Connections, type Tx, transaction } from '../db/database.ts'
import { keyBytes, sealerOf } from '../lib/seal.ts'
import { contextOf } from '../policies/context.ts'
import { decide } from '../policies/decide.ts'
import { type Entity, type EntityKind, entityArn, newEntityId } from './entity.ts'
import {
  findEntities,
  findEntity,
  findRoleDetails,
  insertEntity,
  listEntities,
  putRoleDetails,
  renameEntity,
  setBoundary,
} from './entity-store.ts'
import { findPolicyByArn, type ManagedPolicy } from './find-policy.ts'
import { addMember, listHolders, listMembers, removeMember } from './membership-store.ts'
import { policiesOf } from './policies-of.ts'
import { deleteInlinePolicy, detachPolicy, listAttached, listVersions } from './policy-store.ts'
import { removeEntity } from './remove.ts'
import { listEntityTags, putEntityTags, removeEntityTags } from './tag-store.ts'
import {
  deleteUserKey,
  findUserKey,
  listUserKeys,
  noteKeyUse,
  setUserKeyActive,
} from './user-key-store.ts'
import { makeUserKey } from './user-keys.ts'
import {
  addVersion,
  attach,
  makePolicy,
  putInline,
  removeVersion,
  setDefaultVersion,
} from './write-policy.ts'

const accountId = '111111111111'
const now = new Date(1_000_000)
const sealer = sealerOf(randomBytes(keyBytes), randomBytes)
const administrator = 'arn:aws:iam::aws:policy/AdministratorAccess'

const entityOf = (kind: EntityKind, name: string, path = '/'): Entity => ({
  id: newEntityId(kind, randomBytes),
  accountId,
  kind,
  name,
  path,
  createdAt: now,
  boundaryArn: undefined,
})

async function make(db: Connections, kind: EntityKind, name: string, path = '/'): Promise<Entity> {
  const entity = entityOf(kind, name, path)
  assert(await transaction(db.writes, (tx) => insertEntity(tx, entity)))
  return entity
}

const documentOf = (Action: string, Effect = 'Allow'): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: { Effect, Action, Resource: '*' } })

async function makeManaged(db: Connections, name: string, action: string): Promise<ManagedPolicy> {
  const entity = entityOf('policy', name, '/teams/')
  const wanted = { description: 'of a test', document: documentOf(action) }
  const details = await transaction(db.writes, (tx) => makePolicy(tx, entity, wanted))
  return { entity, details }
}

/** What an entity may do, by the policies that it has now. */
async function outcome(db: Connections, { id, kind }: Entity, action: string): Promise<string> {
  const [entity] = await findEntities(db.reads, [id])
  assert(entity)
  const principal = { kind: 'user', accountId, arn: entityArn(entity) } as const
  const question = { principal, action, resource: '*', resourceAccountId: accountId }
  const policies = await policiesOf(db.reads, { id, kind, boundaryArn: entity.boundaryArn })
  return decide({ ...question, context: contextOf({}) }, policies).outcome
}

for (const [name, start] of Object.entries(databases)) {
  describe(`what IAM keeps, on ${name}`, () => {
    const write = <T>(db: Connections, work: (tx: Tx) => Promise<T>) => transaction(db.writes, work)

    test('a name is one of its kind in an account, whatever the case of its letters', async (context) => {
      const db = await start(context)
      const bob = await make(db, 'user', 'Bob', '/teams/')
      assert.equal(await write(db, (tx) => insertEntity(tx, entityOf('user', 'bOB'))), false)
      await make(db, 'role', 'Bob')
      const other = { ...entityOf('user', 'Bob'), accountId: '222222222222' }
      assert(await write(db, (tx) => insertEntity(tx, other)))
      const key = { accountId, kind: 'user', name: 'BOB' } as const
      assert.deepEqual(await findEntity(db.reads, key), bob)

      const eve = await make(db, 'user', 'eve')
      const rename = (to: string) =>
        write(db, (tx) => renameEntity(tx, eve, { name: to, path: '/x/' }))
      assert.equal(await rename('bob'), false)
      assert.equal(await rename('Eve'), true)
      const [renamed] = await findEntities(db.reads, [eve.id])
      assert.deepEqual(renamed, { ...eve, name: 'Eve', path: '/x/' })
    })

    test('entities are listed by name below a path, in pages', async (context) => {
      const db = await start(context)
      for (const one of ['c', 'A', 'b', 'd']) {
        await make(db, 'user', one, one === 'd' ? '/other/' : '/teams/images/')
      }
      const query = { accountId, kind: 'user', pathPrefix: '/teams/' } as const
      const names = async (more: object) =>
        (await listEntities(db.reads, { ...query, ...more })).map((one) => one.name)
      assert.deepEqual(await names({}), ['A', 'b', 'c'])
      assert.deepEqual(await names({ count: 2 }), ['A', 'b'])
      assert.deepEqual(await names({ count: 2, after: 'B' }), ['c'])
      assert.deepEqual(await names({ pathPrefix: '/' }), ['A', 'b', 'c', 'd'])
      assert.deepEqual(await names({ pathPrefix: '/%/' }), [])
    })

    test('a user has two access keys, sealed, each of which can be switched off', async (context) => {
      const db = await start(context)
      const bob = await make(db, 'user', 'bob')
      const add = () => write(db, (tx) => makeUserKey(tx, bob, { now, randomBytes, sealer }))
      const first = await add()
      assert.match(first.id, /^AKIA[A-Z2-7]{16}$/)
      assert.match(first.secret.reveal(), /^[\w+/]{40}$/)
      // Two at once are counted one after the other.
      const both = await Promise.allSettled([add(), add()])
      assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
      await assert.rejects(add(), {
        code: 'LimitExceeded',
        message: 'Cannot exceed quota for AccessKeysPerUser: 2',
      })

      const found = await findUserKey(db.reads, first.id, sealer)
      assert.equal(found?.secret.reveal(), first.secret.reveal())
      const [row] = await db.reads.selectFrom('iam_user_keys').selectAll().execute()
      assert(!JSON.stringify(row).includes(first.secret.reveal()))
      const stranger = sealerOf(randomBytes(keyBytes), randomBytes)
      await assert.rejects(findUserKey(db.reads, first.id, stranger), { name: 'SealBroken' })
      // A secret that was moved to another key does not open.
      const other = (await listUserKeys(db.reads, bob.id)).find(({ id }) => id !== row?.id)
      assert(row && other)
      await db.writes.updateTable('iam_user_keys').set({ sealed: row.sealed }).execute()
      await assert.rejects(findUserKey(db.reads, other.id, sealer), { name: 'SealBroken' })

      const off = { id: first.id, userId: bob.id, isActive: false }
      assert(await write(db, (tx) => setUserKeyActive(tx, off)))
      assert(!(await write(db, (tx) => setUserKeyActive(tx, { ...off, userId: 'AIDAX' }))))
      const use = (ms: number) => ({ at: new Date(ms), service: 'ec2', region: 'us-east-1' })
      for (const ms of [5, 9, 7]) await write(db, (tx) => noteKeyUse(tx, first.id, use(ms)))
      const keys = await listUserKeys(db.reads, bob.id)
      const listed = keys.find((one) => one.id === first.id)
      assert.deepEqual(listed, {
        id: first.id,
        userId: bob.id,
        isActive: false,
        createdAt: now,
        lastUse: use(9),
      })
    })

    test('a policy has five versions, and the one that counts stays', async (context) => {
      const db = await start(context)
      const policy = await makeManaged(db, 'images', 'ec2:CreateImage')
      const arn = `arn:aws:iam::${accountId}:policy/teams/images`
      assert.deepEqual(await findPolicyByArn(db.reads, arn), policy)
      assert.equal(await findPolicyByArn(db.reads, arn.replace('/teams', '')), undefined)
      await assert.rejects(makeManaged(db, 'Images', 'ec2:*'), { code: 'EntityAlreadyExists' })
      await assert.rejects(makeManaged(db, 'other', 'nothing'), { code: 'MalformedPolicyDocument' })

      const add = (setAsDefault: boolean) =>
        write(db, (tx) =>
          addVersion(tx, policy, { document: documentOf('ec2:*'), setAsDefault, now }),
        )
      for (const expected of [2, 3, 4, 5]) {
        assert.equal((await add(expected === 3)).version, expected)
      }
      await assert.rejects(add(true), { code: 'LimitExceeded' })
      const remove = (version: number) => write(db, (tx) => removeVersion(tx, policy, version))
      await assert.rejects(remove(3), { code: 'DeleteConflict' })
      await assert.rejects(remove(9), { code: 'NoSuchEntity' })
      await remove(5)
      assert.equal((await add(false)).version, 6)
      const setDefault = (version: number) =>
        write(db, (tx) => setDefaultVersion(tx, policy, { version, now }))
      await assert.rejects(setDefault(5), { code: 'NoSuchEntity' })
      await setDefault(1)
      const versions = await listVersions(db.reads, policy.entity.id)
      assert.deepEqual(
        versions.map(({ version }) => version),
        [6, 4, 3, 2, 1],
      )
    })

    test('what a user may do follows at once from what it and its groups are given', async (context) => {
      const db = await start(context)
      const bob = await make(db, 'user', 'bob')
      const team = { ...(await make(db, 'group', 'team')), kind: 'group' } as const
      const may = (action: string) => outcome(db, bob, action)
      assert.equal(await may('ec2:CreateImage'), 'not allowed')

      const policy = await makeManaged(db, 'images', 'ec2:*Image')
      const arn = entityArn(policy.entity)
      await write(db, (tx) => attach(tx, team, arn))
      await write(db, (tx) => attach(tx, team, arn))
      assert.equal(await may('ec2:CreateImage'), 'not allowed')
      const membership = { holderId: team.id, memberId: bob.id }
      assert(await write(db, (tx) => addMember(tx, membership)))
      assert(!(await write(db, (tx) => addMember(tx, membership))))
      assert.deepEqual(await listHolders(db.reads, bob.id), [team.id])
      assert.deepEqual(await listMembers(db.reads, team.id), [bob.id])
      assert.equal(await may('ec2:CreateImage'), 'allowed')

      const deny = { name: 'no', document: documentOf('ec2:CopyImage', 'Deny') }
      await write(db, (tx) => putInline(tx, team, deny))
      assert.equal(await may('ec2:CopyImage'), 'denied')
      const document = documentOf('ec2:CreateTags')
      await write(db, (tx) => addVersion(tx, policy, { document, setAsDefault: true, now }))
      assert.equal(await may('ec2:CreateImage'), 'not allowed')
      assert.equal(await may('ec2:CreateTags'), 'allowed')

      await write(db, (tx) => attach(tx, bob, administrator))
      assert.equal(await may('kms:Decrypt'), 'allowed')
      await write(db, (tx) => setBoundary(tx, bob.id, arn))
      assert.equal(await may('kms:Decrypt'), 'not allowed')
      assert.equal(await may('ec2:CreateTags'), 'allowed')
      await write(db, (tx) => setBoundary(tx, bob.id, `${arn}-gone`))
      assert.equal(await may('ec2:CreateTags'), 'not allowed')
      await write(db, (tx) => setBoundary(tx, bob.id, undefined))
      assert.equal(await may('kms:Decrypt'), 'allowed')
      await write(db, (tx) => detachPolicy(tx, bob.id, administrator))
      await write(db, (tx) => removeMember(tx, membership))
      assert.equal(await may('ec2:CreateTags'), 'not allowed')
    })

    test('what is attached is there, in number and length no more than IAM allows', async (context) => {
      const db = await start(context)
      const role = { ...(await make(db, 'role', 'builder')), kind: 'role' } as const
      const attached = (arn: string) => write(db, (tx) => attach(tx, role, arn))
      const missing = `arn:aws:iam::${accountId}:policy/none`
      await assert.rejects(attached(missing), { code: 'NoSuchEntity' })
      for (let index = 0; index < 10; index++) {
        const { entity } = await makeManaged(db, `p${index}`, 'ec2:*')
        await attached(entityArn(entity))
      }
      await assert.rejects(attached(administrator), {
        code: 'LimitExceeded',
        message: 'Cannot exceed quota for AttachedPoliciesPerRole: 10',
      })
      assert.equal((await listAttached(db.reads, [role.id])).length, 10)

      const long = documentOf(`ec2:${'x'.repeat(9000)}`)
      const put = (name: string, document: string) =>
        write(db, (tx) => putInline(tx, role, { name, document }))
      await put('one', long)
      await put('one', long)
      await assert.rejects(put('two', long), { code: 'LimitExceeded' })
      await assert.rejects(put('two', '{}'), { code: 'MalformedPolicyDocument' })
      assert(await write(db, (tx) => deleteInlinePolicy(tx, role.id, 'one')))
      assert(!(await write(db, (tx) => deleteInlinePolicy(tx, role.id, 'two'))))
    })

    test('the key of a tag is one, whatever the case of its letters, and goes with its entity', async (context) => {
      const db = await start(context)
      const profile = await make(db, 'profile', 'web')
      const { id } = profile
      const b = { key: 'b', value: '' }
      await write(db, (tx) => putEntityTags(tx, id, [{ key: 'Team', value: 'a' }, b]))
      const louder = { key: 'TEAM', value: 'c' }
      await write(db, (tx) => putEntityTags(tx, id, [louder]))
      assert.deepEqual(await listEntityTags(db.reads, id), [b, louder])
      await write(db, (tx) => removeEntityTags(tx, id, ['team', 'other']))
      assert.deepEqual(await listEntityTags(db.reads, id), [b])
      await write(db, (tx) => removeEntity(tx, profile))
      assert.deepEqual(await listEntityTags(db.reads, id), [])
    })

    test('nothing is deleted while something hangs on it', async (context) => {
      const db = await start(context)
      const remove = (entity: Entity) => write(db, (tx) => removeEntity(tx, entity))
      const first = (what: string) => ({
        code: 'DeleteConflict',
        message: `Cannot delete entity, must ${what} first.`,
      })
      const bob = { ...(await make(db, 'user', 'bob')), kind: 'user' } as const
      const team = await make(db, 'group', 'team')
      const inTeam = { holderId: team.id, memberId: bob.id }
      await write(db, (tx) => addMember(tx, inTeam))
      const key = await write(db, (tx) => makeUserKey(tx, bob, { now, randomBytes, sealer }))
      await write(db, (tx) => attach(tx, bob, administrator))
      await write(db, (tx) => putInline(tx, bob, { name: 'p', document: documentOf('ec2:*') }))

      await assert.rejects(remove(bob), first('remove users from group'))
      await assert.rejects(remove(team), first('remove users from group'))
      await write(db, (tx) => removeMember(tx, inTeam))
      await assert.rejects(remove(bob), first('delete access keys'))
      assert(await write(db, (tx) => deleteUserKey(tx, key)))
      await assert.rejects(remove(bob), first('detach all policies'))
      await write(db, (tx) => detachPolicy(tx, bob.id, administrator))
      await assert.rejects(remove(bob), first('delete policies'))
      await write(db, (tx) => deleteInlinePolicy(tx, bob.id, 'p'))
      await remove(bob)
      await remove(team)
      await assert.rejects(remove(bob), { code: 'NoSuchEntity' })

      const role = await make(db, 'role', 'builder')
      const details = { trustPolicy: '{}', description: undefined, sessionSecondsMax: 3600 }
      await write(db, (tx) => putRoleDetails(tx, role.id, details))
      assert.deepEqual(await findRoleDetails(db.reads, role.id), details)
      const profile = await make(db, 'profile', 'builder')
      const inProfile = { holderId: profile.id, memberId: role.id }
      await write(db, (tx) => addMember(tx, inProfile))
      for (const one of [role, profile]) {
        await assert.rejects(remove(one), first('remove roles from instance profile'))
      }
      await write(db, (tx) => removeMember(tx, inProfile))

      const policy = await makeManaged(db, 'images', 'ec2:*Image')
      const arn = entityArn(policy.entity)
      await write(db, (tx) => setBoundary(tx, role.id, arn))
      await assert.rejects(remove(policy.entity), { code: 'DeleteConflict' })
      await remove(role)
      await remove(profile)
      const version = { document: documentOf('ec2:*'), setAsDefault: true, now }
      await write(db, (tx) => addVersion(tx, policy, version))
      await assert.rejects(remove(policy.entity), { code: 'DeleteConflict' })
      await write(db, (tx) => removeVersion(tx, policy, 1))
      await remove(policy.entity)
      assert.equal(await findPolicyByArn(db.reads, arn), undefined)
      assert.equal(await findRoleDetails(db.reads, role.id), undefined)
    })
  })
}
