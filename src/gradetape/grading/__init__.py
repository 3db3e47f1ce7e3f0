"""The application: what the command line, a watcher or a server calls to grade, and to read and change results.

Nothing here prints. Warnings, counts and paths are returned as values, and a listener receives events during a batch.

    request.py        a request -> a plan: the submissions, the engine, and warnings run.py            a plan -> grades
    in the gradebook, pages, and a report batch.py          a stream of submissions -> grades, through an engine
    driver.py         order, retries and claims of a batch rubric.py         the points of the checks, and which of them
    can be trusted builder.py        an outcome -> a grade, and the key that decides whether to grade again
    late_policy.py overrides and lateness -> the final score of one student final_scores.py   the same for all students
    of an assignment results.py        reading the gradebook, writing its pages and tables overrides.py points that
    staff set by hand
"""
