"""The application: what the command line, a watcher or a server calls to grade, and to read and change results.

Nothing here prints. Warnings, counts and paths come back as values, and what happens during a batch is reported to a
listener as events.

    request.py        what a person asks for -> a plan: the submissions, the engine, and what to warn of
    run.py            a plan -> grades in the gradebook, pages, and a report of what happened
    batch.py          a stream of submissions -> grades, through an engine
    driver.py         order, retries and claims of a batch
    rubric.py         what the checks are worth, and which can be trusted
    builder.py        an outcome -> a grade, and the key that decides whether to grade again
    late_policy.py    overrides and lateness -> the final score of one student
    final_scores.py   the same for all students of an assignment
    results.py        reading the gradebook, writing its pages and tables
    overrides.py      points that a person gives
"""
