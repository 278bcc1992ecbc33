/** What the text of a statement tells about it, read once. */
export interface Reading {
  /** The first word, in capitals. */
  readonly word: string
  /** Set for statements that need a session of one's own: the word, and what to use instead. */
  readonly session: { readonly word: string; readonly instead: string } | undefined
  /** It may change the session: the connection needs a full reset before somebody else gets it. */
  readonly taints: boolean
  /** It does so itself, not only what may be another statement behind it. */
  readonly changesSession: boolean
  /** Surely one statement which only reads, without locks, and calls nothing unknown: it may run beside others. */
  readonly onlyReads: boolean
}

const TRANSACTION_WORDS = words('START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE')
const SESSION_WORDS = words('LISTEN UNLISTEN FETCH LOCK UNLOCK HANDLER')
const TAINTING_WORDS = words(
  'SET RESET PREPARE DEALLOCATE DO CALL USE LOAD DISCARD EXEC EXECUTE ATTACH DETACH PRAGMA',
)
const READING_WORDS = words('SELECT VALUES TABLE WITH')

/** A comment ends at its first end, in one way only: what could be read in many ways would take for ever. */
const GAP = String.raw`(?:\s|/\*(?:[^*]|\*(?!/))*\*/|--[^\n]*\n)`
/** Parts of a statement that leave something behind in the session, wherever they stand. */
const TAINTING = new RegExp(
  [
    String.raw`\b(?:set_config|(?:pg_)?(?:try_)?advisory_lock(?:_shared)?|get_lock|dblink_connect)\b`,
    String.raw`\b(?:create|(?<!\binsert${GAP}+)into)${GAP}+(?:or${GAP}+replace${GAP}+)?(?:(?:global|local)${GAP}+)?temp(?:orary)?${GAP}+\w`,
    // Temporary tables of SQL Server.
    String.raw`\b(?:table|into)${GAP}+#\S`,
    String.raw`^alter${GAP}+session\b`,
  ].join('|'),
  'i',
)
/** A statement behind the first that would leave something behind. */
const TAINTING_LATER = new RegExp(
  String.raw`;${GAP}*(?:${[...TAINTING_WORDS, ...SESSION_WORDS].join('|')})\b`,
  'i',
)
/** `DECLARE` also declares variables of a batch or of a block, which end with it. */
const DECLARES_CURSOR = /^DECLARE\s+[^\s@]\S*\s+(?:BINARY|ASENSITIVE|INSENSITIVE|NO|SCROLL|CURSOR)\b/i
/** `BEGIN` also opens a block of a procedural language, which is no transaction. */
const BEGINS_TRANSACTION =
  /^BEGIN\s*(?:$|;|(?:WORK|TRAN|TRANSACTION|ISOLATION|READ|NOT|DEFERRABLE|DEFERRED|IMMEDIATE|EXCLUSIVE|CONCURRENT)\b)/i
/** Words that make a read more than a read; `;` makes it more than one; `@` may assign. */
const NOT_ONLY_READING = /[;@]|:=|\b(?:insert|update|delete|merge|into|for|lock|call)\b/i

/** Words that stand before a parenthesis without being a call. */
const NO_CALLS = words(
  'SELECT VALUES WITH AS IN AND OR NOT ON USING FROM WHERE JOIN LATERAL EXISTS ANY ALL SOME CASE WHEN THEN ELSE OVER FILTER WITHIN GROUP BY HAVING UNION EXCEPT INTERSECT DISTINCT LIMIT OFFSET BETWEEN LIKE ILIKE IS ARRAY ROW RECURSIVE MATERIALIZED PARTITION ORDER RETURN SETS ROLLUP CUBE VARCHAR CHAR CHARACTER NUMERIC DECIMAL TIMESTAMP TIMESTAMPTZ TIME INTERVAL BIT',
)
/** Calls known to read only. A function of the user's own may do anything, and wait for locks. */
const READING_CALLS = words(
  'COUNT SUM AVG MIN MAX COALESCE NULLIF GREATEST LEAST CAST CONVERT EXTRACT DATE_PART DATE_TRUNC TO_CHAR TO_DATE TO_TIMESTAMP TO_NUMBER NOW CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME CLOCK_TIMESTAMP AGE MAKE_DATE LOWER UPPER LENGTH CHAR_LENGTH OCTET_LENGTH SUBSTR SUBSTRING LEFT RIGHT TRIM LTRIM RTRIM BTRIM LPAD RPAD REPLACE REVERSE REPEAT POSITION STRPOS SPLIT_PART CONCAT CONCAT_WS FORMAT INITCAP MD5 ENCODE DECODE ABS CEIL CEILING FLOOR ROUND TRUNC MOD POWER SQRT EXP LN LOG SIGN ARRAY_AGG STRING_AGG GROUP_CONCAT JSON_AGG JSONB_AGG JSON_BUILD_OBJECT JSONB_BUILD_OBJECT JSON_BUILD_ARRAY JSONB_BUILD_ARRAY JSON_OBJECT_AGG JSONB_OBJECT_AGG TO_JSON TO_JSONB ROW_TO_JSON JSON_EXTRACT JSON_OBJECT JSON_ARRAY JSON_ARRAYAGG JSON_OBJECTAGG BOOL_AND BOOL_OR EVERY ROW_NUMBER RANK DENSE_RANK NTILE LAG LEAD FIRST_VALUE LAST_VALUE UNNEST GENERATE_SERIES CARDINALITY ARRAY_LENGTH ARRAY_TO_STRING STRING_TO_ARRAY REGEXP_REPLACE REGEXP_MATCHES REGEXP_MATCH TO_TSVECTOR TO_TSQUERY PLAINTO_TSQUERY TS_RANK IFNULL IF ISNULL DATE_FORMAT DATE_ADD DATE_SUB DATEDIFF UNIX_TIMESTAMP FROM_UNIXTIME YEAR MONTH DAY HOUR MINUTE SECOND DATE HEX UNHEX INSTR LOCATE CURRENT_SETTING VERSION PG_BACKEND_PID',
)

export function readText(text: string): Reading {
  const bare = text.slice(startOf(text))
  const word = (/^[a-z]+/i.exec(bare)?.[0] ?? '').toUpperCase()
  const session = sessionNeed(word, bare)
  if (session !== undefined) return { word, session, taints: false, changesSession: false, onlyReads: false }
  const changesSession = TAINTING_WORDS.has(word) || TAINTING.test(bare)
  const taints = changesSession || TAINTING_LATER.test(bare)
  const onlyReads = !taints && READING_WORDS.has(word) && !NOT_ONLY_READING.test(bare) && callsAreKnown(bare)
  return { word, session, taints, changesSession, onlyReads }
}

function sessionNeed(word: string, bare: string): Reading['session'] {
  if (TRANSACTION_WORDS.has(word) || BEGINS_TRANSACTION.test(bare)) {
    return { word, instead: 'pool.transaction() or pool.use()' }
  }
  const needed = SESSION_WORDS.has(word) || DECLARES_CURSOR.test(bare)
  return needed ? { word, instead: 'pool.use()' } : undefined
}

/** Every word before a parenthesis is a keyword or a known function. Quoted and qualified names are not known. */
function callsAreKnown(text: string): boolean {
  for (const [, before = '', name = ''] of text.matchAll(/([."\w`\]]*?)([a-z_]\w*|["`\]])\s*\(/gi)) {
    if (before !== '') return false
    const word = name.toUpperCase()
    if (!NO_CALLS.has(word) && !READING_CALLS.has(word)) return false
  }
  return true
}

/** Where the first word stands: after blanks, comments and opening parentheses. */
function startOf(text: string): number {
  const skipped = /^(?:[\s(;]+|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text)
  return skipped?.[0].length ?? 0
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '))
}
