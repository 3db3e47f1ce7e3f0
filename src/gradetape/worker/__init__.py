"""The code that runs beside the student's: the zygote, its workers, and the students' cells."""
