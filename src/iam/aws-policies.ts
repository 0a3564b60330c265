/** The managed policies that every account has without making them. */

const administrator = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
}

/** The document of each, by ARN. */
export const awsPolicies: ReadonlyMap<string, string> = new Map([
  ['arn:aws:iam::aws:policy/AdministratorAccess', JSON.stringify(administrator)],
])
