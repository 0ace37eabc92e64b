"""The clock of the wake-ups: Celery's, except that nobody is woken who has not yet heard the last call.

While no worker runs, a call every two seconds would lie in the broker 43,000 times after a day, all of it expired and
all of it to be read by the first worker that comes back."""

import logging
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry

log = logging.getLogger(__name__)

# One per process of a few machines may be on its way at the same time.
MOST_WAITING = 20


class WakeUps(PersistentScheduler):
    """Leaves a wake-up out (an entry whose messages expire) while so many messages already wait in the queue."""

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        if entry.options.get("expires") and self._waiting(producer) >= MOST_WAITING:
            return
        super().apply_entry(entry, producer=producer)

    def _waiting(self, producer: Any) -> int:
        """Messages in the queue that nobody has taken; 0 when the broker is away, which sending will say itself."""
        try:
            queue = self.app.amqp.queues[self.app.conf.task_default_queue]
            return int(queue.bind(producer.channel).queue_declare(passive=True).message_count)
        except producer.connection.connection_errors + producer.connection.channel_errors + (OSError,) as error:
            log.debug("the broker was not asked: %s", type(error).__name__)
            return 0
