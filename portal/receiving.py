"""Files of a form, kept while their bytes come: with its last byte a file is hashed and where it stays."""

import logging

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from labs import keeping
from portal import filing

log = logging.getLogger(__name__)


class NotKept(Exception):
    """The disk failed with the bytes of `file`, an Arrived: nothing of it is kept."""

    def __init__(self, file):
        super().__init__(file.name)
        self.file = file


class Arrived(UploadedFile):
    """A file that is on disk as `stored` (keeping.Stored), once it has settled. Whoever makes a row of it says so, by
    `is_taken`."""

    def __init__(self, arriving, name, content_type, field):
        self.stored, self.arriving = arriving.end(), arriving
        super().__init__(filing.on_disk(self.stored.path).open("rb"), name, content_type, self.stored.size)
        self.field_name, self.is_taken = field, False

    def settle(self):
        """Before a row of it is committed. Raises NotKept."""
        try:
            self.arriving.settle()
        except OSError as failed:
            log.exception("%s could not be synced", self.stored.path)
            raise NotKept(self) from failed


class OntoDisk(FileUploadHandler):
    """Keeps each file of the form under MEDIA_ROOT/work/`folder`. One that cannot be kept is dropped, and the rest of
    the form is read: what was typed beside it still arrives, and a full disk cannot be made by one huge upload.

    too_big, too_many, not_kept: the names of what was dropped, and why.
    """

    def __init__(self, request, folder, *, most, most_files):
        super().__init__(request)
        self.folder, self.most, self.most_files = f"work/{folder}", most, most_files
        self.arrived, self.too_big, self.too_many, self.not_kept = [], [], [], []
        self.arriving = None

    @property
    def dropped(self):
        return [*self.too_big, *self.too_many, *self.not_kept]

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        if len(self.arrived) >= self.most_files:
            self._drop(self.too_many)
        try:
            self.arriving = keeping.Arriving(self.folder, most=self.most)
        except OSError:
            self._drop(self.not_kept)

    def receive_data_chunk(self, raw_data, start):
        try:
            self.arriving.write(raw_data)
        except keeping.TooLarge:
            self._drop(self.too_big)
        except OSError:
            self._drop(self.not_kept)

    def file_complete(self, file_size):
        arriving, self.arriving = self.arriving, None
        if arriving is None:
            return None
        self.arrived.append(Arrived(arriving, self.file_name, self.content_type, self.field_name))
        return self.arrived[-1]

    def upload_interrupted(self):
        if self.arriving is not None:
            self.arriving.give_up()
            self.arriving = None

    def let_go(self):
        """The request is over: of what arrived, that which nobody took goes from the disk."""
        self.upload_interrupted()
        for file in self.arrived:
            file.close()
            if not file.is_taken:
                file.arriving.give_up()

    def _drop(self, why):
        self._note(why)
        self.arriving = None
        raise SkipFile

    def _note(self, why):
        name = filing.shown_name(self.file_name)
        if why is self.not_kept:
            log.exception("%s could not be kept in %s", name, self.folder)
        why.append(name)
