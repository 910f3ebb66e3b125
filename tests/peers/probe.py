"""Federation probe: two users on two servers try 35 things, whatever joins the servers.

    python probe.py romeo@a.example,secret,127.0.0.1,5222 juliet@b.example,secret,127.0.0.1,6222 [--patience S] [--only NAME,NAME]

Prints one JSON object per check and one for the total; exit status 0 if all passed."""

import argparse
import asyncio
import json
import sys
import time
import warnings

from checks import load
from user import User


def say(**fields):
    """One line for whoever started the probe."""
    print(json.dumps(fields), flush=True)


def user(account, patience):
    """A user from `jid,password,host,port`."""
    jid, password, host, port = account.split(",")
    return User(jid, password, (host, int(port)), patience)


async def attempt(function, a, b):
    """Runs one check, reports it, and tells whether it passed."""
    start = time.monotonic()
    try:
        passed, remark = True, await function(a, b)
    except Exception as error:  # a check fails in any way it likes
        detail = getattr(error, "condition", None) or str(error)
        passed, remark = False, f"{type(error).__name__}: {detail}"
    say(check=function.__name__, passed=passed, seconds=round(time.monotonic() - start, 2), remark=remark)
    return passed


async def main():
    """Logs both users in, runs the checks in order, logs out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--patience", type=float, default=5, help="seconds a check may wait for anything")
    parser.add_argument("--only", help="names of checks, comma-separated")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else None
    a, b = user(options.a, options.patience), user(options.b, options.patience)
    await asyncio.gather(a.login(), b.login())
    chosen = [c for c in load() if wanted is None or c.__name__ in wanted]
    results = [await attempt(function, a, b) for function in chosen]
    await asyncio.gather(a.disconnect(), b.disconnect())
    say(passed_checks=sum(results), checks=len(results))
    return all(results)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(0 if asyncio.run(main()) else 1)
