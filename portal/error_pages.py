"""What an error page of DEBUG, and an error report by mail, may show of the moment: no variable's value.

Django hides those of functions that ask for it, and only without DEBUG. Credentials pass through botocore's functions
too, which ask for nothing.
"""

from django.views.debug import SafeExceptionReporterFilter


class NoValues(SafeExceptionReporterFilter):
    """settings.DEFAULT_EXCEPTION_REPORTER_FILTER."""

    def is_active(self, request):
        return True

    def get_post_parameters(self, request):
        return {} if request is None else dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request, tb_frame):
        return []
