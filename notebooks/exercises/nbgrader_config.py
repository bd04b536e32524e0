"""What nbgrader needs to know: run its commands in this folder. The assignments are in `source`."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = "task_thread"
# A check gives up by itself, after some seconds; this is for what is typed outside of one.
c.Execute.timeout = 60
