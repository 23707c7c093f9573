#include <cstdio>
#include <new>

#include "cli/commands.h"
#include "cli/options/options.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

int perform(const CommandLine& line) {
  using Verb = CommandLine::Verb;
  switch (line.verb) {
    case Verb::Run:
    case Verb::Op:
      return run_job(line);
    case Verb::Compile:
      return compile_model(line);
    case Verb::Disasm:
      return disassemble_file(line.file);
    case Verb::Asm:
      return assemble_file(line.file, line.output);
    case Verb::ConfigCheck:
      return check_config(line.file, line.run.sets);
    case Verb::ConfigShow:
      return show_config(line.file, line.run.sets, line.as_json);
    case Verb::Report:
      return write_page(line.file, line.output);
    case Verb::Bench:
      return bench();
    case Verb::BenchCompile:
      return bench_compile(line.bench);
    case Verb::Validate:
      return validate(line.validate);
    case Verb::Fit:
      return fit(line.fit);
    case Verb::Diff:
      return diff(line.diff);
    case Verb::Regress:
      return regress(line.regress);
    case Verb::Sweep:
      return sweep(line.sweep);
    case Verb::Compare:
      return compare(line.compare);
    case Verb::Reduce:
      return reduce(line);
  }
  return kBadInput;
}

int answer(int argc, const char* const* argv) {
  const Parsed parsed = parse_command_line(argc, argv);
  if (parsed.line) return perform(*parsed.line);
  std::fputs(parsed.text.c_str(), parsed.exit_code == 0 ? stdout : stderr);
  return parsed.exit_code;
}

}  // namespace
}  // namespace dvmsim

int main(int argc, char** argv) {
  try {
    const int code = dvmsim::answer(argc, argv);
    if (std::fflush(stdout) != 0) throw dvmsim::Error("standard output: cannot be written");
    return code;
  } catch (const dvmsim::Error& error) {
    std::fprintf(stderr, "dvmsim: error: %s\n", error.what());
  } catch (const std::bad_alloc&) {
    std::fputs("dvmsim: error: not enough memory; use smaller shapes or --mode timing\n", stderr);
  }
  return dvmsim::kBadInput;
}
