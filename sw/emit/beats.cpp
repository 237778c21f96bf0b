#include "emit/beats.hpp"

#include <algorithm>

namespace bitloom {

Intake one_to_one() {
  const auto same = [](std::int64_t n) { return n; };
  return {same, same};
}

Intake ratio(std::int64_t in, std::int64_t out) {
  return {[=](std::int64_t n) { return n / in * out; }};
}

Intake in_blocks(std::int64_t beats, std::int64_t row, std::int64_t last_beats) {
  const std::int64_t whole = (row - 1) * beats + last_beats;
  return {[=](std::int64_t n) {
    const std::int64_t in_row = n % whole;
    return n - in_row + in_row / beats * beats;
  }};
}

Intake padded(const MapShape& shape, const Window& window, std::int64_t chunks) {
  const std::int64_t row = shape.width * chunks, frame = shape.height * row;
  const std::int64_t out_row = (shape.width + window.pad_left + window.pad_right) * chunks;
  const std::int64_t out_frame = (shape.height + window.pad_top + window.pad_bottom) * out_row;
  const std::int64_t top = window.pad_top, left = window.pad_left * chunks;
  return {[=](std::int64_t n) {
    const std::int64_t place = n % frame;  // of the beat that it waits for
    return n / frame * out_frame + (place / row + top) * out_row + left + place % row;
  }};
}

Intake unfolded(std::int64_t width, std::int64_t columns) {
  return {[=](std::int64_t n) { return n / width * (width - columns + 1) + std::max<std::int64_t>(0, n % width - columns + 1); }};
}

Intake windowed(const WindowPlan& w, std::int64_t beats) {
  const std::int64_t row = w.step_row + std::int64_t{w.out_width - 1} * w.step_x;  // from a row's first window to the next row's
  const std::int64_t frame = w.step_frame + std::int64_t{w.out_height - 1} * row + std::int64_t{w.out_width - 1} * w.step_x;
  const std::int64_t extent = w.extent, rows = w.out_height, columns = w.out_width, step = w.step_x;
  return {[=](std::int64_t n) {
    if (n < extent) return std::int64_t{0};
    const std::int64_t base = n - extent, in_frame = base % frame;  // the last window's first word stands here or before
    const std::int64_t y = std::min(in_frame / row, rows - 1), x = std::min((in_frame - y * row) / step, columns - 1);
    return (base / frame * rows * columns + y * columns + x + 1) * beats;
  }};
}

Intake blocked(const BasisBlocks& b, int pixels, int stride, std::int64_t words, std::int64_t chunks) {
  const std::int64_t blocks = b.blocks, row_columns = b.row_columns(pixels), rows = b.map_rows, first = b.first_row, out_rows = b.out_rows;
  // Output rows that are complete with the first `row` input rows.
  const auto complete = [=](std::int64_t row) {
    return row <= first ? std::int64_t{0} : std::min((row - 1 - first) / stride + 1, out_rows);
  };
  return {[=](std::int64_t n) {
    const std::int64_t taken = n / words, frame = taken / (blocks * rows), in_frame = taken % (blocks * rows);
    const std::int64_t row = in_frame / blocks, in_row = in_frame % blocks;
    // The rows behind the map follow its last row at once: complete(rows) may be fewer than out_rows, but then the frame is over.
    std::int64_t sent = (frame * out_rows + complete(row)) * row_columns;
    if (complete(row + 1) > complete(row)) sent += in_row * pixels;
    return sent * chunks;
  }};
}

Intake cropped(std::int64_t width, std::int64_t first, std::int64_t stride, std::int64_t out_width, std::int64_t chunks) {
  return {[=](std::int64_t n) {
    const std::int64_t pixel = n / chunks, row = pixel / width, x = pixel % width;
    const std::int64_t before = x <= first ? 0 : std::min((x - first + stride - 1) / stride, out_width);
    const bool passes = x >= first && (x - first) % stride == 0 && (x - first) / stride < out_width;
    return (row * out_width + before) * chunks + (passes ? n % chunks : 0);
  }};
}

Intake upsampled(const MapShape& shape, const Upsample& upsample, std::int64_t chunks) {
  const std::int64_t row = shape.width * chunks, up_height = upsample.height, up_width = upsample.width;
  return {[=](std::int64_t n) {
    const std::int64_t in_row = n % row;
    return n / row * up_height * row * up_width + in_row / chunks * chunks * up_width + in_row % chunks;
  }};
}

Intake first_of_round(std::int64_t a, std::int64_t b) {
  return {[=](std::int64_t n) { return n / a * (a + b) + n % a; },
          [=](std::int64_t sent) { return sent / (a + b) * a + std::min(sent % (a + b), a); }, a};
}

Intake second_of_round(std::int64_t a, std::int64_t b) {
  return {[=](std::int64_t n) { return n / b * (a + b) + a + n % b; },
          [=](std::int64_t sent) { return sent / (a + b) * b + std::max<std::int64_t>(0, sent % (a + b) - a); }, b};
}

}  // namespace bitloom
