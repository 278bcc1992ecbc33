import { InvalidOptionError } from '../contract/errors.ts'

/**
 * Reads the parts of a URL. Nothing of what was read stands in a message: in a URL with a badly written password any part
 * may belong to it.
 */
export class UrlReader {
  /** What the user can do about most of what is wrong with a URL. */
  readonly encode: string
  readonly #database: string

  /** `reserved`: what means something in a URL of this database. */
  constructor(database: string, reserved = '/ ? # @ : %') {
    const encoded = reserved.split(' ').map(encodeURIComponent)
    this.encode = `in a user name or password the characters ${reserved} must be written as ${encoded.join(' ')}`
    this.#database = database
  }

  assertOneLine(text: string): void {
    if ([...text].some((character) => character < ' ' || character === '\x7f'))
      this.refuse('contains a line break or another control character')
  }

  decode(text: string, part: string): string {
    try {
      return decodeURIComponent(text)
    } catch {
      return this.refuse(`has a malformed "%" in its ${part}: ${this.encode}`)
    }
  }

  /** `user:password@address`; who is missing is left out. */
  authority(text: string): { login: { user?: string; password?: string }; address: string } {
    const at = text.lastIndexOf('@')
    const [user = '', ...password] = at < 0 ? [] : text.slice(0, at).split(':')
    const login: { user?: string; password?: string } = {}
    put(login, 'user', this.decode(user, 'user name'))
    put(login, 'password', this.decode(password.join(':'), 'password'))
    return { login, address: text.slice(at + 1) }
  }

  /** @throws InvalidOptionError */
  refuse(problem: string): never {
    throw new InvalidOptionError('url', `the ${this.#database} URL ${problem}`)
  }
}

/** What is empty is not said. */
export function put(found: object, name: string, value: string): void {
  if (value !== '') Object.assign(found, { [name]: value })
}
