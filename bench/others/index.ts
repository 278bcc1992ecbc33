import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Participant, spawnSubject } from '../harness/participant.ts'
import { debianPackage } from './debian.ts'

export interface OtherLanguage {
  /** Rejects with the reason where it cannot be run. */
  start(): Promise<Participant>
}

const HERE = join(process.cwd(), 'bench/others')
const JARS = '/usr/share/java'

const others: Readonly<Record<string, () => Promise<Participant>>> = {
  async HikariCP() {
    const slf4j = 'slf4j-api.jar'
    const home = await debianPackage({ name: 'libhikaricp-java', file: `${JARS}/HikariCP.jar` })
    const logging = await debianPackage({ name: 'libslf4j-java', file: `${JARS}/${slf4j}` })
    const path = [
      `${home}${JARS}/HikariCP.jar`,
      ...[slf4j, 'slf4j-nop.jar'].map((jar) => `${logging}${JARS}/${jar}`),
    ]
    return spawnSubject('HikariCP', 'java', ['-cp', path.join(':'), join(HERE, 'Hikari.java')])
  },
  async SQLAlchemy() {
    const packages = '/usr/lib/python3/dist-packages'
    const home = await debianPackage({
      name: 'python3-sqlalchemy',
      file: `${packages}/sqlalchemy/__init__.py`,
    })
    // Debian's own interpreter: the package is made for it.
    const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3'
    return spawnSubject('SQLAlchemy', python, [join(HERE, 'sqlalchemy_pool.py'), home + packages])
  },
}

/** A subject that is not written in TypeScript. */
export function otherLanguage(subject: string): OtherLanguage | undefined {
  const start = others[subject]
  return start === undefined ? undefined : { start }
}
