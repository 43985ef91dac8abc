"""What every package needs and no customer would notice: errors, ids, time, database, jobs, logs."""
