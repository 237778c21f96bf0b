"""bitloom_host.py against a running board: host_check.py LIBRARY_FOLDER PORT DESIGN. Exit status 0 when all is well."""

import json
import pathlib
import random
import sys

sys.path.insert(0, sys.argv[1])
import bitloom_host  # noqa: E402

design = json.loads(pathlib.Path(sys.argv[3], "design.json").read_text())
assert pathlib.Path(bitloom_host.__file__).parent.samefile(sys.argv[1])
generator = random.Random(1)

with bitloom_host.Board(sys.argv[2]) as board:
    hello = board.hello
    assert f"{hello.design_hash:016x}" == design["hash"]
    assert (hello.input_beats, hello.input_width) == (design["input"]["beats"], design["input"]["width"])
    assert (hello.output_beats, hello.output_width) == (design["output"]["beats"], design["output"]["width"])
    images = [bytes(generator.randrange(17) for _ in range(board.image_bytes)) for _ in range(10)]
    seen = []
    results = board.infer(images, progress=lambda done: seen.append(done))
    assert len(results) == 10 and all(len(result) == board.result_bytes for result in results), results
    assert seen == sorted(seen) and seen[-1] == 10, seen
    assert all(result[0] < 10 for result in results)
    assert board.infer(images) == results and board.infer([]) == []
    assert board.infer(images[3:4]) == results[3:4]
    assert board.counters().frames == 1 and board.counters().errors == 0
    assert board.statistics().repetitions == 0
    try:
        board.infer([b"short"])
        raise AssertionError("a short image was taken")
    except ValueError:
        pass
    try:
        board.infer(images * 5, progress=lambda done: True)
        raise AssertionError("the progress function could not stop it")
    except bitloom_host.BoardError as error:
        assert error.status == bitloom_host.STOPPED and error.results == (results * 5)[:len(error.results)] and error.results
    try:
        bitloom_host.Board(sys.argv[2])
        raise AssertionError("the port was opened twice")
    except bitloom_host.BoardError as error:
        assert error.status == bitloom_host.NO_PORT and "another program" in str(error), error

try:
    bitloom_host.Board("/dev/null")
    raise AssertionError("/dev/null is no port")
except bitloom_host.BoardError as error:
    assert error.status == bitloom_host.NO_PORT, error
print("bitloom_host.py: all well")
