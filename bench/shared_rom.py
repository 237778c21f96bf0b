"""Weight memories for engines whose weights are more than a chip's block RAMs give in a clock: density is counted with memories aside."""
import json
import pathlib

MODULE = """
// Bits beyond BLOCKS block RAMs are the same bits in another order, each PE's rotated against the others': the memory's ports and delays are real, its contents are not.
`default_nettype none
module rom #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter     INIT  = "",
    parameter int STYLE = 0
) (
    input  wire                                       clk,
    input  wire                                       rd_en,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] rd_addr,
    output wire [WIDTH-1:0]                           rd_data
);
  localparam int MOST  = {most};
  localparam int BITS  = STYLE != 1 || WIDTH < MOST ? WIDTH : MOST;
  localparam int SIMD  = {simd};
  localparam int TURN  = BITS * SIMD / WIDTH / 2 * 2 + 1;
  wire [BITS-1:0] word;
  own_rom #(.WIDTH(BITS), .DEPTH(DEPTH), .INIT(INIT), .STYLE(STYLE)) memory (.clk(clk), .rd_en(rd_en), .rd_addr(rd_addr), .rd_data(word));
  for (genvar i = 0; i < WIDTH; i++) begin : g_bit
    assign rd_data[i] = word[BITS == WIDTH ? i : (i % SIMD + i / SIMD * TURN) % BITS];
  end
endmodule
`default_nettype wire
"""


def share(design: pathlib.Path, simd: int, most: int):
    """Lets the design's weight ROM take `most` bits a word at most; `simd`: weights of a PE."""
    file = design / "rtl/rom.sv"
    own = file.read_text().replace("module rom #(", "module own_rom #(", 1)
    file.write_text(own + MODULE.format(most=most, simd=simd))


def roomy(root: pathlib.Path, board: str, folder: pathlib.Path) -> pathlib.Path:
    """A BITLOOM_HOME whose `board` has block RAMs and LUTs for any plan."""
    home = folder / "home"
    pins = home / "constraints" / board
    pins.mkdir(parents=True)
    for name in ("rtl", "sw"):
        (home / name).symlink_to(root / name)
    for file in (root / "constraints" / board).iterdir():
        (pins / file.name).write_bytes(file.read_bytes())
    description = json.loads((pins / "board.json").read_text())
    (pins / "board.json").write_text(json.dumps(description | {"lut4": 10**6, "bram": 1000}))
    return home
