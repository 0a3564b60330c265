/**
 * Who hands a role to an instance gives it what the role may do, and so has to be allowed
 * to pass that role.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
 */
import { type Demand, demandOn } from './demand.ts'
import { type Entity, entityArn } from './entity.ts'

/** The service whose instances take roles, as trust policies name it. */
export const ec2Service = 'ec2.amazonaws.com'

export const toPass = (role: Parameters<typeof entityArn>[0] | Entity): Demand =>
  demandOn('iam:PassRole', entityArn(role), { 'iam:PassedToService': ec2Service })
