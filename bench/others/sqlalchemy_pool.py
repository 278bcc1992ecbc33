"""connect and close of SQLAlchemy's QueuePool on a connection that does nothing. A turn for every line of the input."""

import json
import sys
import time

sys.path.append(sys.argv[1])
from sqlalchemy.pool import QueuePool  # noqa: E402

BATCH = 2_000
FOR_S = 0.1


class Connection:
    def rollback(self):
        pass

    def close(self):
        pass


def turn(pool):
    cpu = time.process_time()
    since = time.perf_counter()
    cycles = 0
    while True:
        for _ in range(BATCH):
            pool.connect().close()
        cycles += BATCH
        elapsed = time.perf_counter() - since
        if elapsed >= FOR_S:
            ns = (time.process_time() - cpu) * 1e9 / cycles
            return {"ns": ns, "wallNs": elapsed * 1e9 / cycles}


def say(reading):
    print(json.dumps({"reading": reading}), flush=True)


pool = QueuePool(Connection, pool_size=10)
say({})
for _ in sys.stdin:
    say(turn(pool))
