#include "sim/board.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "emit/design.hpp"
#include "flow/boards.hpp"

namespace bitloom::cli {
namespace {

volatile std::sig_atomic_t asked_to_stop = 0;

struct BoardCommand {
  std::string design, link;
  int baud = 0;
  BoardSimOptions options;

  void operator()() const {
    const nlohmann::json description = read_design(design);
    const Board target = load_board(description.at("board").get<std::string>());
    BoardSimOptions run = options;
    if (run.noise < 0 || run.noise >= 1) throw Error("--noise", fmt::format("{} given; a probability below 1 expected", run.noise));
    if (run.frames < 0) throw Error("--frames", fmt::format("{} given; 0 or more expected", run.frames));
    run.port_link = link;
    run.clock_hz = target.clock_mhz * 1e6;
    run.baud = baud != 0 ? baud : description.at("link").at("baud").get<int>();
    // A simulated line has no cable: only the receiver's four clocks a bit count.
    if (run.baud < 9600 || run.baud > run.clock_hz / 4)
      throw Error("--baud", fmt::format("{} given; 9600 to {:.0f} expected, a quarter of the board's clock", run.baud, run.clock_hz / 4));
    const bool reads_flash = description.contains("loaded_weights") && target.pins.flash;
    if (reads_flash) run.flash_offset = static_cast<std::uint32_t>(target.pins.flash->offset);
    const std::filesystem::path library = build_board_model(design, pins(target, reads_flash), run.baud);

    std::signal(SIGINT, [](int) { asked_to_stop = 1; });
    std::signal(SIGTERM, [](int) { asked_to_stop = 1; });
    run.stop = [] { return asked_to_stop != 0; };
    run.ready = [&](const std::string& port) {
      fmt::print("{} on a simulated {}, {} MHz, line at {} baud{}\nport: {}\n", description.at("name").get<std::string>(), target.title,
                 target.clock_mhz, run.baud, run.noise > 0 ? fmt::format(", {} of its bytes damaged, seed {}", run.noise, run.seed) : "",
                 link.empty() ? port : link);
      std::fflush(stdout);
    };
    const BoardSimResult result = run_board(library, design, run);
    fmt::print("{} results in {} clocks, {:.0f} clocks/s; {} bytes to the board, {} from it", result.frames,
               thousands(static_cast<double>(result.clocks)), result.seconds > 0 ? static_cast<double>(result.clocks) / result.seconds : 0,
               result.bytes_in, result.bytes_out);
    if (run.noise > 0) fmt::print("; {} and {} of them damaged", result.damaged_in, result.damaged_out);
    fmt::print("\n");
  }

  static BoardSimPins pins(const Board& board, bool reads_flash) {
    BoardSimPins pins;
    const auto scalar = [&](const BoardPin& pin) {
      if (pin.port.find('[') != std::string::npos)
        throw Error(board.name,
                    fmt::format("the pin '{}' is a bit of a vector; the simulated board needs clock, UART, button and flash alone", pin.port));
      return pin.port;
    };
    pins.clock = scalar(board.pins.clock);
    pins.uart_rx = scalar(board.pins.uart_rx);
    pins.uart_tx = scalar(board.pins.uart_tx);
    pins.rx_inverted = board.pins.uart_rx.active_low;
    pins.tx_inverted = board.pins.uart_tx.active_low;
    if (board.pins.reset_button) {
      pins.reset_button = scalar(*board.pins.reset_button);
      pins.button_inverted = board.pins.reset_button->active_low;
    }
    if (reads_flash) {
      const BoardFlash& flash = *board.pins.flash;
      pins.flash_cs = scalar(flash.cs), pins.flash_sck = scalar(flash.sck), pins.flash_mosi = scalar(flash.mosi), pins.flash_miso = scalar(flash.miso);
    }
    return pins;
  }
};

}  // namespace

void add_board(CLI::App& program) {
  auto board = std::make_shared<BoardCommand>();
  CLI::App* app = program.add_subcommand("board", "a simulated board: the whole board top behind a pseudo-terminal");
  app->footer(
      "Example: bitloom board --design digits --port-link /tmp/digits-port\n"
      "Every clock and every bit on the line is simulated, some hundred times slower than a board. --baud makes the line faster than the\n"
      "design's own (12 clocks a bit become 4, say): more images a second, the same protocol. Ends on Ctrl-C.");
  app->add_option("--design", board->design, "a folder made by bitloom compile")->required();
  app->add_option("--port-link", board->link, "a symbolic link to the pseudo-terminal, removed at the end");
  app->add_option("--baud", board->baud, "bits per second of the simulated line (default: the design's)");
  app->add_option("--noise", board->options.noise, "probability that a byte is flipped, dropped or joined by another, in both directions")
      ->capture_default_str();
  app->add_option("--seed", board->options.seed, "of the noise and of the model's initial state")->capture_default_str();
  app->add_option("--frames", board->options.frames,
                  "end after so many results, once the line has been quiet for a second (default: never)");
  app->callback([board] { (*board)(); });
}

}  // namespace bitloom::cli
