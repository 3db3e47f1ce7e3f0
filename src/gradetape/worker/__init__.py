"""What runs beyond the wall: the zygote, its workers, and the students' cells."""
