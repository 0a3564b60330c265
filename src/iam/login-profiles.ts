/**
 * Login profiles: the password of a user, for the console. Calls of the API are signed with
 * keys, and never by it.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html
 */
import type {
  CreateLoginProfileRequest,
  CreateLoginProfileResponse,
  DeleteLoginProfileRequest,
  GetLoginProfileRequest,
  GetLoginProfileResponse,
  UpdateLoginProfileRequest,
} from '@aws-sdk/client-iam'
import { ApiError, missingParameter } from '../lib/errors.ts'
import { type Operation, readOperation, writeOperation } from '../wire/operation.ts'
import type { Entity } from './entity.ts'
import { requireUser } from './find.ts'
import {
  changeLoginProfile,
  deleteLoginProfile,
  findLoginProfile,
  insertLoginProfile,
  type LoginProfile,
} from './login-profile-store.ts'
import { hashPassword } from './password.ts'

const declared = { service: 'iam', demands: () => [] } as const

const none = ({ name }: Entity): ApiError =>
  new ApiError('NoSuchEntity', `Login Profile for User ${name} cannot be found.`)

const view = (user: Entity, profile: LoginProfile) => ({
  UserName: user.name,
  CreateDate: profile.createdAt,
  PasswordResetRequired: profile.isResetRequired,
})

export const loginProfiles: readonly Operation[] = [
  writeOperation<CreateLoginProfileRequest, CreateLoginProfileResponse, string>({
    ...declared,
    action: 'CreateLoginProfile',
    owesNothing: true,
    async prepare(input, { db, readers, caller }) {
      await requireUser(db, { caller }, 'CreateLoginProfile', input.UserName)
      if (input.Password === undefined) throw missingParameter('Password')
      return await hashPassword(input.Password, readers.randomBytes)
    },
    async run(call, hash) {
      const { tx, input, now } = call
      const user = await requireUser(tx, call, 'CreateLoginProfile', input.UserName)
      const isResetRequired = input.PasswordResetRequired ?? false
      const profile = { userId: user.id, hash, createdAt: now, isResetRequired }
      if (!(await insertLoginProfile(tx, profile))) {
        throw new ApiError(
          'EntityAlreadyExists',
          `Login Profile for user ${user.name} already exists.`,
        )
      }
      return { LoginProfile: view(user, profile) }
    },
  }),
  writeOperation<UpdateLoginProfileRequest, void, string | undefined>({
    ...declared,
    action: 'UpdateLoginProfile',
    owesNothing: true,
    async prepare(input, { db, readers, caller }) {
      await requireUser(db, { caller }, 'UpdateLoginProfile', input.UserName)
      if (input.Password === undefined) return undefined
      return await hashPassword(input.Password, readers.randomBytes)
    },
    async run(call, hash) {
      const { tx, input } = call
      const user = await requireUser(tx, call, 'UpdateLoginProfile', input.UserName)
      const { PasswordResetRequired: isResetRequired } = input
      const change = {
        userId: user.id,
        ...(hash !== undefined && { hash }),
        ...(isResetRequired !== undefined && { isResetRequired }),
      }
      if (!(await changeLoginProfile(tx, change))) throw none(user)
    },
  }),
  writeOperation<DeleteLoginProfileRequest, void>({
    ...declared,
    action: 'DeleteLoginProfile',
    owesNothing: true,
    async run(call) {
      const { tx, input } = call
      const user = await requireUser(tx, call, 'DeleteLoginProfile', input.UserName)
      if (!(await deleteLoginProfile(tx, user.id))) throw none(user)
    },
  }),
  readOperation<GetLoginProfileRequest, GetLoginProfileResponse>({
    ...declared,
    action: 'GetLoginProfile',
    async run(call) {
      const { db, input } = call
      const user = await requireUser(db, call, 'GetLoginProfile', input.UserName)
      const profile = await findLoginProfile(db, user.id)
      if (!profile) throw none(user)
      return { LoginProfile: view(user, profile) }
    },
  }),
]
