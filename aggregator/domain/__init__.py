"""Customs procedure as pure functions of frames: no files, no SQL, no clock."""
