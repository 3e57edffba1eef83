"""nbgrader's settings for everybody on the hub: which course, and where its exchange is."""

import os

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "course"
c.Exchange.root = os.environ.get("COURSE_EXCHANGE", "/srv/course/exchange")
