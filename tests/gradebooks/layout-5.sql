BEGIN TRANSACTION;
CREATE TABLE attempt_questions (
	attempt_id INTEGER NOT NULL, 
	question VARCHAR NOT NULL, 
	result_id INTEGER NOT NULL, 
	PRIMARY KEY (attempt_id, question), 
	FOREIGN KEY(attempt_id) REFERENCES attempts (id) ON DELETE CASCADE, 
	FOREIGN KEY(result_id) REFERENCES question_results (id)
);
CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	assignment VARCHAR NOT NULL, 
	student VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	current BOOLEAN NOT NULL, 
	"key" VARCHAR NOT NULL, 
	file VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	isolation VARCHAR NOT NULL, 
	points FLOAT NOT NULL, 
	max_points FLOAT NOT NULL, 
	seconds FLOAT NOT NULL, 
	created VARCHAR NOT NULL, 
	record VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (assignment, student, number)
);
INSERT INTO "attempts" VALUES(1,'custom-training','alice',1,0,'k1','alice.ipynb','0000000000000000000000000000000000000000000000000000000000000000','needs_attention','namespaces',0.0,2.0,0.0,'2026-11-26T21:38:39+00:00','{"assignment": "custom-training", "student": "alice", "file": "alice.ipynb", "sha256": "0000000000000000000000000000000000000000000000000000000000000000", "key": "k1", "status": "needs_attention", "isolation": "namespaces", "questions": [{"stem": "q01", "title": "One", "points": 2}], "results": [{"check": {"question": "q01", "name": "test_x", "public": true, "title": "It works.", "hint": "", "points": 2, "requirements": []}, "verdict": "passed", "points": 0.0, "seconds": 0.25, "message": "fine", "staff_message": "", "command": "", "sentences": [], "basis": "testimony"}], "events": [], "notes": [], "attention": ["the zygote is gone"], "review": [], "layers": [], "devices": [], "versions": {"tensorflow": "2.21"}, "seconds": 0.0, "modified": "", "origin": null, "cells": [], "concerns": []}');
INSERT INTO "attempts" VALUES(2,'custom-training','alice',2,1,'k1','alice.ipynb','0000000000000000000000000000000000000000000000000000000000000000','graded','namespaces',1.0,2.0,0.0,'2026-11-26T21:38:39+00:00','{"assignment": "custom-training", "student": "alice", "file": "alice.ipynb", "sha256": "0000000000000000000000000000000000000000000000000000000000000000", "key": "k1", "status": "graded", "isolation": "namespaces", "questions": [{"stem": "q01", "title": "One", "points": 2}], "results": [{"check": {"question": "q01", "name": "test_x", "public": true, "title": "It works.", "hint": "", "points": 2, "requirements": []}, "verdict": "passed", "points": 1.0, "seconds": 0.25, "message": "fine", "staff_message": "", "command": "", "sentences": [], "basis": "testimony"}], "events": [], "notes": [], "attention": [], "review": [], "layers": [], "devices": [], "versions": {"tensorflow": "2.21"}, "seconds": 0.0, "modified": "", "origin": null, "cells": [], "concerns": []}');
INSERT INTO "attempts" VALUES(3,'custom-training','bob',1,1,'unreadable:1111111111111111111111111111111111111111111111111111111111111111','bob.ipynb','1111111111111111111111111111111111111111111111111111111111111111','unreadable','none',0.0,0.0,0.0,'2026-11-26T21:38:39+00:00','{"student": "bob", "file": "bob.ipynb", "sha256": "1111111111111111111111111111111111111111111111111111111111111111", "reason": "It is empty.", "for_student": "", "origin": null, "modified": ""}');
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	created VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	old VARCHAR NOT NULL, 
	new VARCHAR NOT NULL, 
	attempts INTEGER NOT NULL, 
	overrides INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE check_results (
	id INTEGER NOT NULL, 
	attempt_id INTEGER NOT NULL, 
	question VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	public BOOLEAN NOT NULL, 
	verdict VARCHAR NOT NULL, 
	points FLOAT NOT NULL, 
	max_points FLOAT NOT NULL, 
	seconds FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(attempt_id) REFERENCES attempts (id) ON DELETE CASCADE
);
INSERT INTO "check_results" VALUES(1,1,'q01','test_x',1,'passed',0.0,2.0,0.25);
INSERT INTO "check_results" VALUES(2,2,'q01','test_x',1,'passed',1.0,2.0,0.25);
CREATE TABLE claims (
	assignment VARCHAR NOT NULL, 
	student VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	token VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	process VARCHAR NOT NULL, 
	beaten FLOAT NOT NULL, 
	PRIMARY KEY (assignment, student, "key")
);
CREATE TABLE comments (
	id INTEGER NOT NULL, 
	assignment VARCHAR NOT NULL, 
	student VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	check_id VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	created VARCHAR NOT NULL, 
	removed_at VARCHAR, 
	removed_by VARCHAR, 
	PRIMARY KEY (id)
);
CREATE TABLE done_marks (
	id INTEGER NOT NULL, 
	assignment VARCHAR NOT NULL, 
	student VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	done BOOLEAN NOT NULL, 
	basis VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	created VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE meta (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('schema','5');
CREATE TABLE overrides (
	id INTEGER NOT NULL, 
	assignment VARCHAR NOT NULL, 
	student VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	points FLOAT NOT NULL, 
	reason VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	created VARCHAR NOT NULL, 
	undone_at VARCHAR, 
	undone_by VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "overrides" VALUES(1,'custom-training','alice','q01',2.0,'typo','Ana','2026-10-01T10:00:00+00:00',NULL,NULL);
CREATE TABLE question_results (
	id INTEGER NOT NULL, 
	digest VARCHAR NOT NULL, 
	assignment VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	run_id INTEGER NOT NULL, 
	record VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
CREATE TABLE regrade_requests (
	id INTEGER NOT NULL, 
	assignment VARCHAR NOT NULL, 
	student VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	created VARCHAR NOT NULL, 
	answer VARCHAR, 
	points FLOAT, 
	answered_by VARCHAR, 
	answered_at VARCHAR, 
	PRIMARY KEY (id)
);
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	created VARCHAR NOT NULL, 
	record VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_attempts_key ON attempts ("key");
CREATE UNIQUE INDEX attempts_current ON attempts (assignment, student) WHERE current = 1;
CREATE INDEX ix_claims_token ON claims (token);
CREATE INDEX overrides_of ON overrides (assignment, student);
CREATE INDEX ix_check_results_attempt_id ON check_results (attempt_id);
CREATE INDEX ix_question_results_digest ON question_results (digest);
CREATE INDEX ix_attempt_questions_result_id ON attempt_questions (result_id);
CREATE INDEX comments_of ON comments (assignment, student);
CREATE INDEX done_marks_of ON done_marks (assignment, student);
CREATE INDEX regrade_requests_of ON regrade_requests (assignment, student);
COMMIT;
