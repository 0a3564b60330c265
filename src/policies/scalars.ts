/**
 * Numbers and dates as policies write them. A date is a W3C date, of which all but the
 * year may be left out, or a number of seconds since 1970.
 * https://www.w3.org/TR/NOTE-datetime
 */

export function numberOf(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text.trim()) ? Number(text) : undefined
}

/** Milliseconds since 1970. */
export function dateOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const parsed = isDate(text) ? Date.parse(withZone(text.toUpperCase())) : NaN
  return Number.isNaN(parsed) ? undefined : parsed
}

const shape =
  /^-?\d+(-(?<month>\d{1,2})(-(?<day>\d{1,2}))?)?(t(?<hours>\d{1,2})?(:(?<minutes>\d{1,2})(:(?<seconds>\d{1,2})(\.\d{1,9})?)?)?(z|[+-](?<zoneHours>\d{2})(:?(?<zoneMinutes>\d{2}))?)?)?$/i

const bounds = {
  month: [1, 12],
  day: [1, 31],
  hours: [0, 23],
  minutes: [0, 59],
  seconds: [0, 59],
  zoneHours: [0, 23],
  zoneMinutes: [0, 59],
} as const

/** Whether IAM takes this for a date when a policy is put. */
export function isDate(text: string): boolean {
  const groups = shape.exec(text)?.groups
  if (!groups) return false
  return Object.entries(bounds).every(([name, [min, max]]) => {
    const part = groups[name]
    return part === undefined || (Number(part) >= min && Number(part) <= max)
  })
}

/** Whether IAM takes this for a point in time: a date, or seconds that fit 63 bits. */
export function isPointInTime(text: string): boolean {
  return /^\d+$/.test(text) ? BigInt(text) < 2n ** 63n : isDate(text)
}

/** A time without a zone is in UTC, not in that of this machine. */
function withZone(text: string): string {
  const [day = '', time] = text.split('T')
  if (time === undefined) return day
  if (/(Z|[+-]\d{2}:?\d{2})$/.test(time)) return text
  return /[+-]\d{2}$/.test(time) ? `${text}:00` : `${text}Z`
}
