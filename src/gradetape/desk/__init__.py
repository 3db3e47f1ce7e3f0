"""The desk: the pages of a results folder as a local web application, with forms for staff.

    opening.py        imports the optional libraries, opens the port and serves until Ctrl-C
    keys.py           the secrets: the token of the first address, the session, and a token for each form
    guard.py          what every request has to satisfy before anything reads it
    app.py            the routes
    forms.py          what a form sends, as a value
    names.py          pseudonyms instead of names, where a browser has hidden them
    places.py         hides and shows names, and says what was published
    pages.py          from an address to a page: made by `report` from the gradebook of this moment
    written.py        written answers: the page of an answer, its pictures, and the marks that forms give
    trials.py         trials in the background, which record nothing
    actions.py        from a form to the gradebook, by way of `grading`
    note_actions.py   the same for what people write about results, and for publishing

A part of an address is compared with the names of what the gradebook holds. It never becomes part of a path of the file
system: there is no handler that reads a file.
"""
