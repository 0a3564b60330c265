/**
 * The errors a caller may see. Anything else that is thrown is a bug in this
 * program or a broken machine, and reaches the caller only as `InternalError`.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */

/** Every error code of the API, with the HTTP status AWS answers it with. */
const statuses = {
  AttachmentLimitExceeded: 400,
  AuthFailure: 401,
  BootForVolumeTypeUnsupported: 400,
  CannotDelete: 400,
  ConcurrentCreateImageNoRebootLimitExceeded: 400,
  DeleteConflict: 409,
  DependencyViolation: 400,
  DryRunOperation: 412,
  EntityAlreadyExists: 409,
  ExpiredToken: 403,
  FilterLimitExceeded: 400,
  IdempotentInstanceTerminated: 400,
  IdempotentParameterMismatch: 400,
  IncorrectInstanceState: 400,
  IncorrectModificationState: 400,
  IncorrectState: 400,
  InsufficientFreeAddressesInSubnet: 400,
  IncompleteSignature: 400,
  InsufficientInstanceCapacity: 500,
  InternalError: 500,
  InstanceLimitExceeded: 400,
  InvalidAction: 400,
  InvalidAMIAttributeItemValue: 400,
  'InvalidAMIID.Malformed': 400,
  'InvalidAMIID.NotFound': 400,
  'InvalidAMIID.Unavailable': 400,
  'InvalidAMIName.Duplicate': 400,
  'InvalidAMIName.Malformed': 400,
  InvalidEventCategoryException: 400,
  'InvalidImageUsageReportId.Malformed': 400,
  'InvalidImageUsageReportId.NotFound': 400,
  'InvalidAttachment.NotFound': 400,
  InvalidAuthorizationMessageException: 400,
  InvalidAvailabilityZone: 400,
  InvalidBlockDeviceMapping: 400,
  'InvalidBlockDeviceMapping.Duplicate': 400,
  InvalidClientTokenId: 403,
  'InvalidConversionTaskId.Malformed': 400,
  InvalidFilter: 400,
  'InvalidGroup.Duplicate': 400,
  'InvalidGroup.InUse': 400,
  'InvalidGroup.NotFound': 400,
  'InvalidGroup.Reserved': 400,
  InvalidGroupId: 400,
  'InvalidGroupId.Malformed': 400,
  InvalidID: 400,
  InvalidInstanceAttributeValue: 400,
  InvalidInstanceID: 400,
  'InvalidInstanceID.Malformed': 400,
  'InvalidInstanceID.NotFound': 400,
  InvalidInstanceType: 400,
  InvalidInput: 400,
  'InvalidIPAddress.InUse': 400,
  'InvalidKey.Format': 400,
  'InvalidKeyPair.Duplicate': 400,
  'InvalidKeyPair.Format': 400,
  'InvalidKeyPair.NotFound': 400,
  InvalidLookupAttributesException: 400,
  InvalidManifest: 400,
  InvalidMaxResults: 400,
  InvalidMaxResultsException: 400,
  'InvalidNetworkInterfaceID.Malformed': 400,
  'InvalidNetworkInterfaceID.NotFound': 400,
  InvalidNextToken: 400,
  InvalidNextTokenException: 400,
  InvalidPaginationToken: 400,
  InvalidParameter: 400,
  InvalidParameterCombination: 400,
  InvalidParameterDependency: 400,
  InvalidParameterValue: 400,
  'InvalidPermission.Duplicate': 400,
  'InvalidPermission.Malformed': 400,
  'InvalidPermission.NotFound': 400,
  InvalidRegion: 400,
  'InvalidReplaceRootVolumeTaskId.Malformed': 400,
  'InvalidReplaceRootVolumeTaskId.NotFound': 400,
  InvalidRequest: 400,
  'InvalidSecurityGroupRuleId.Malformed': 400,
  'InvalidSecurityGroupRuleId.NotFound': 400,
  'InvalidSnapshot.InUse': 400,
  'InvalidSnapshot.NotFound': 400,
  'InvalidSnapshotID.Malformed': 400,
  'InvalidSubnetID.Malformed': 400,
  'InvalidSubnetID.NotFound': 400,
  'InvalidTagKey.Malformed': 400,
  InvalidTimeRangeException: 400,
  'InvalidUserData.Malformed': 400,
  'InvalidUserID.Malformed': 400,
  'InvalidVolume.NotFound': 400,
  'InvalidVolumeID.Malformed': 400,
  'InvalidVolumeModification.NotFound': 400,
  'InvalidVolume.ZoneMismatch': 400,
  'InvalidVpcID.Malformed': 400,
  'InvalidVpcID.NotFound': 400,
  'InvalidZone.NotFound': 400,
  LimitExceeded: 409,
  MalformedPolicyDocument: 400,
  MalformedQueryString: 400,
  MissingAction: 400,
  MissingAuthenticationToken: 403,
  MissingParameter: 400,
  NoSuchBucket: 404,
  NoSuchEntity: 404,
  NoSuchKey: 404,
  NoSuchVersion: 400,
  OperationNotPermitted: 400,
  PackedPolicyTooLarge: 400,
  RequestEntityTooLarge: 413,
  RequestExpired: 400,
  RequestLimitExceeded: 503,
  ResourceLimitExceeded: 400,
  RulesPerSecurityGroupLimitExceeded: 400,
  SecurityGroupLimitExceeded: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SnapshotLimitExceeded: 400,
  TagLimitExceeded: 400,
  Unavailable: 503,
  UnauthorizedOperation: 403,
  UnknownParameter: 400,
  Unsupported: 400,
  UnsupportedOperation: 400,
  UnsupportedProtocol: 400,
  ValidationError: 400,
  VolumeInUse: 400,
  VolumeLimitExceeded: 400,
  VolumeModificationRateExceeded: 400,

  // Of the services that speak JSON.
  AWSOrganizationsNotInUseException: 400,
  AccessDeniedException: 400,
  AccountNotFoundException: 400,
  AlreadyExistsException: 400,
  AlreadyInOrganizationException: 400,
  ChildNotFoundException: 400,
  ConflictException: 409,
  ConstraintViolationException: 400,
  CreateAccountStatusNotFoundException: 400,
  DestinationParentNotFoundException: 400,
  DisabledException: 400,
  DuplicateAccountException: 400,
  DuplicateOrganizationalUnitException: 400,
  HierarchyLevelLimitExceededException: 400,
  HierarchyTypeMismatchException: 400,
  IncorrectKeyException: 400,
  InvalidAliasNameException: 400,
  InvalidAllowedPatternException: 400,
  InvalidArnException: 400,
  InvalidCiphertextException: 400,
  InvalidFilterKey: 400,
  InvalidFilterOption: 400,
  InvalidFilterValue: 400,
  InvalidGrantTokenException: 400,
  InvalidInputException: 400,
  InvalidKeyId: 400,
  InvalidKeyUsageException: 400,
  InvalidResourceId: 400,
  InvalidResourceType: 400,
  KMSInvalidStateException: 400,
  LimitExceededException: 400,
  MalformedPolicyDocumentException: 400,
  NotAuthorizedException: 400,
  NotFoundException: 400,
  OrganizationalUnitNotFoundException: 400,
  ParameterAlreadyExists: 400,
  ParameterLimitExceeded: 400,
  ParameterMaxVersionLimitExceeded: 400,
  ParameterNotFound: 400,
  ParameterPatternMismatchException: 400,
  ParameterVersionLabelLimitExceeded: 400,
  ParameterVersionNotFound: 400,
  ParentNotFoundException: 400,
  ResourceNotFoundException: 404,
  SerializationException: 400,
  ServiceQuotaExceededException: 402,
  SourceParentNotFoundException: 400,
  SsmInvalidParameter: 400,
  TagException: 400,
  TooManyTagsError: 400,
  TooManyUpdates: 400,
  UnknownOperationException: 400,
  UnsupportedOperationException: 400,
  UnsupportedParameterType: 400,
  ValidationException: 400,
} as const

export type ErrorCode = keyof typeof statuses

export class ApiError extends Error {
  readonly code: ErrorCode
  /** What some services say beside the code: `INVALID_PAGE_TOKEN`. */
  readonly reason: string | undefined

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { reason?: string }) {
    super(message, options)
    this.name = `ApiError [${code}]`
    this.code = code
    this.reason = options?.reason
  }

  get status(): number {
    return statuses[this.code]
  }
}

/** A parameter whose value is of the wrong form, in AWS's words. */
export function invalidParameterValue(name: string, value: string, rule: string): ApiError {
  return new ApiError(
    'InvalidParameterValue',
    `Value (${value}) for parameter ${name} is invalid. ${rule}`,
  )
}

/** A parameter that the call cannot do without. */
export function missingParameter(name: string): ApiError {
  return new ApiError('MissingParameter', `The request must contain the parameter ${name}`)
}

/** A parameter that EC2 has and this service does not honour: it is refused, never ignored. */
export function unsupportedParameter(name: string): ApiError {
  return new ApiError('UnsupportedOperation', `The parameter ${name} is not supported.`)
}
