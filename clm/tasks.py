"""What workers run. A message is only a wake-up: arguments are ids, the work is a row, and what a lost message leaves
behind is found by the next tick. Every task has the same act as a management command."""

from typing import Any

from analytics.days.fill import count_sales_anew, fill
from analytics.experiments.process import start_if_needed as count_experiments_if_needed
from analytics.exports.jobs import forget_files
from analytics.exports.process import start_if_needed
from analytics.forgetting import forget_the_erased
from analytics.reports.planning import forget_mailings
from analytics.reports.process import start_if_due
from campaigns.experiments import work_on_experiments
from campaigns.outgoing.deliver import deliver
from campaigns.outgoing.ending import forget_deliveries
from clm.celery import app
from clm.lib.access.kept_answers import forget_answers
from customers.conversions import convert_asked
from customers.duplicates import work_on_duplicates
from customers.erase import work_on_erasures
from customers.importing.ending import forget_imports
from customers.importing.work import Beyond, work_on_imports
from customers.ingest import clock
from customers.partitions import turn_partitions
from customers.rereading import reread_asked
from lifecycle import advance as advancing
from lifecycle.models import Replay
from lifecycle.previews import work_on_previews
from lifecycle.publications import publish_asked
from lifecycle.pulse import TICK, WORKER, beating
from lifecycle.replay import finish, replay_next
from lifecycle.tick import tick
from lifecycle.withdrawn import let_go

# A worker that counts for somebody lets others have their turn after so long; the next wake-up goes on.
PREVIEW_SECONDS = 20.0
ERASURE_SECONDS = DUPLICATES_SECONDS = 20.0
WEBHOOK_SECONDS = 10.0
IMPORT_SECONDS = 20.0
CONVERT_SECONDS = 20.0
EXPERIMENT_SECONDS = 20.0

_tick_beats, _worker_beats = beating(TICK), beating(WORKER)


@app.task(name="clm.tasks.advance", expires=5)
def advance(**_later: Any) -> int:
    """Some batches of advance (manage.py advance), without those that others should not wait for."""
    _worker_beats()
    return tick(hot=False, beat=_tick_beats).customers


@app.task(name="clm.tasks.advance_hot", expires=5)
def advance_hot(**_later: Any) -> int:
    """Customers with very many touchpoints whose turn has come (manage.py advance --hot)."""
    return advancing.advance_hot().customers


@app.task(name="clm.tasks.replay")
def replay(*, replay: int, **_later: Any) -> None:
    """Take part in a replay until no bucket is left (manage.py replay)."""
    running = Replay.objects.get(pk=replay)
    while replay_next(replay=running):
        pass
    finish(replay=running)


@app.task(name="clm.tasks.fill", expires=10)
def fill_days(**_later: Any) -> int:
    """Count into the daily figures what was recorded since (manage.py fill_days)."""
    return fill().rows


@app.task(name="clm.tasks.score", expires=60)
def score(**_later: Any) -> int:
    """Score everybody by the value models, if a day has ended or facts came late (manage.py score)."""
    # SciPy takes 60 MB: only the process that scores pays for it.
    from analytics.value.scoring import score_due

    return score_due(now=clock()).rows


@app.task(name="clm.tasks.previews", expires=5)
def previews(**_later: Any) -> int:
    """Some buckets of the exact counts that people asked for (manage.py preview)."""
    return work_on_previews(seconds=PREVIEW_SECONDS)


@app.task(name="clm.tasks.publish", expires=5)
def publish(**_later: Any) -> int:
    """Make live what people asked for (manage.py publish)."""
    return publish_asked()


@app.task(name="clm.tasks.erasures", expires=10)
def erasures(**_later: Any) -> int:
    """Look through what was written about those who were erased (manage.py erase), and forget what figures keep."""
    forget_the_erased()
    return work_on_erasures(seconds=ERASURE_SECONDS)


@app.task(name="clm.tasks.webhooks", expires=5)
def webhooks(**_later: Any) -> int:
    """Tell the webhooks what is to be told (manage.py deliver)."""
    return deliver(seconds=WEBHOOK_SECONDS)


@app.task(name="clm.tasks.experiments", expires=5)
def experiments(**_later: Any) -> int:
    """Assign whoever the audiences of started experiments hold (manage.py experiments), and see to it that somebody
    counts what they say (manage.py count_experiments)."""
    count_experiments_if_needed()
    return work_on_experiments(seconds=EXPERIMENT_SECONDS)


@app.task(name="clm.tasks.deliveries")
def deliveries(**_later: Any) -> int:
    """Delete what webhooks were told long ago (manage.py deliver --forget)."""
    return forget_deliveries(now=clock())


@app.task(name="clm.tasks.exports", expires=5)
def exports(**_later: Any) -> bool:
    """See to it that somebody makes the files that people asked for (manage.py export)."""
    return start_if_needed()


@app.task(name="clm.tasks.export_files")
def export_files(**_later: Any) -> int:
    """Remove the files whose time is over (manage.py export --forget)."""
    return forget_files(now=clock())


@app.task(name="clm.tasks.imports", expires=5)
def imports(**_later: Any) -> int:
    """Files that people asked to be tried, brought in or taken back (manage.py imports)."""
    return work_on_imports(beyond=Beyond(let_go, count_sales_anew), seconds=IMPORT_SECONDS)


@app.task(name="clm.tasks.convert", expires=10)
def convert(**_later: Any) -> int:
    """Some of the money that a new exchange rate can convert (manage.py convert), and some of the amounts that are to
    be read anew (manage.py reread)."""
    return convert_asked(seconds=CONVERT_SECONDS) + reread_asked(recount=count_sales_anew, seconds=CONVERT_SECONDS)


@app.task(name="clm.tasks.reports", expires=10)
def reports(**_later: Any) -> bool:
    """See to it that somebody sends the reports that are due or asked for (manage.py send_reports)."""
    return start_if_due()


@app.task(name="clm.tasks.old_mailings")
def old_mailings(**_later: Any) -> int:
    """Forget what was sent as reports long ago (manage.py send_reports --forget)."""
    return forget_mailings(now=clock())


@app.task(name="clm.tasks.old_imports")
def old_imports(**_later: Any) -> int:
    """Forget the rows of imports that can no longer be taken back (manage.py imports --forget)."""
    return forget_imports(now=clock())


@app.task(name="clm.tasks.duplicates", expires=10)
def duplicates(**_later: Any) -> int:
    """Go on with the search for duplicates that somebody asked for (manage.py find_duplicates)."""
    return work_on_duplicates(seconds=DUPLICATES_SECONDS)


@app.task(name="clm.tasks.partitions")
def partitions(**_later: Any) -> None:
    """Make the coming weeks' partitions and drop the old ones (manage.py partitions)."""
    turn_partitions(now=clock())


@app.task(name="clm.tasks.answers")
def answers(**_later: Any) -> None:
    """Forget answers that were kept long enough for requests sent twice (manage.py forget_answers)."""
    forget_answers(now=clock())
