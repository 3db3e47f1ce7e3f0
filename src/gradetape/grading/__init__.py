"""The application: what the command line, a watcher or a server calls to grade, and to read and change results.

Nothing here prints. Warnings, counts and paths are returned as values, and a listener receives events during a batch.

    request.py          a request -> a plan: the submissions, the engine, and warnings
    run.py              a plan -> grades in the gradebook, pages, and a report
    watching.py         the same again and again, with an engine that stays warm
    batch.py            a stream of submissions -> grades, through an engine
    driver.py           order, retries and claims of a batch
    question_keys.py    the digest of everything that decides a question's result
    workload.py         what a batch will run, and why
    reference_proof.py  what the reference gets, and so which checks can be trusted
    rubric.py           the points of the checks
    builder.py          outcomes and known question results -> a grade (composition.py, words.py)
    changes.py          whose points went up or down
    late_policy.py      overrides and lateness -> the final score of one student
    final_scores.py     the same for all students of an assignment
    results.py          reading the gradebook, writing its pages and tables
    overrides.py        points that staff set by hand
"""
