"""The files of secrets, which are made at the first start."""

import multiprocessing
import stat
from pathlib import Path
from threading import Barrier

from app.core.crypto import ENCRYPTION_KEY_FILE, SECRET_KEY_FILE, Secrets, load_secrets
from app.core.settings import Settings
from tests.waiting import SECONDS_TO_WAIT

STARTING = multiprocessing.get_context("spawn")
TOGETHER = 4
INSTALLATIONS = 40


def start(folders: list[Path], all_are_ready: Barrier) -> list[Secrets]:
    """What a process reads that starts in each of the folders, at the same moment as others."""
    found = []
    for folder in folders:
        settings = Settings(data_dir=folder, _env_file=None)
        all_are_ready.wait(SECONDS_TO_WAIT)
        found.append(load_secrets(settings))
    return found


def test_processes_that_start_together_for_the_first_time_read_the_same_secrets(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(INSTALLATIONS)]
    with STARTING.Manager() as manager, STARTING.Pool(TOGETHER) as processes:
        all_are_ready = manager.Barrier(TOGETHER)
        starting = processes.starmap_async(start, [(folders, all_are_ready)] * TOGETHER, chunksize=1)
        found = starting.get(2 * SECONDS_TO_WAIT)

    for of_all in zip(*found, strict=True):
        assert len(set(of_all)) == 1
        assert len(of_all[0].signing_key) == 64
        assert len(of_all[0].encryption_keys) == 1
    for folder in folders:
        assert {path.name for path in folder.iterdir()} == {SECRET_KEY_FILE, ENCRYPTION_KEY_FILE}
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
