// What bash is given: a table of words and one of values, and a function that walks the command line through them.
#include "cli/command_tables.h"
#include "cli/completion.h"

namespace logvault::cli {
namespace {

// What the function reads: see _logvault_value in the script.
std::string AnswerFor(const OptionEntry& option) {
  switch (option.takes) {
    case Takes::kNothing:
      return "";
    case Takes::kWord:
      return "echo word";
    case Takes::kFile:
      return "echo file";
    case Takes::kFolder:
      return "echo folder";
    case Takes::kOneOf:
      return "echo '" + Joined(option.choices) + "'";
  }
  return "";
}

// Behind the two tables.
constexpr std::string_view kWalk = R"sh(
_logvault() {
  local current=${COMP_WORDS[COMP_CWORD]} command='' i word takes='' next
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    takes=$(_logvault_value "$command" "$word")
    if [[ -n $takes ]]; then
      [[ ${COMP_WORDS[i + 1]} == '=' ]] && ((i++))
      ((++i < COMP_CWORD)) && takes=''
      continue
    fi
    next=${command:+$command }$word
    [[ $word != -* && -n $(_logvault_words "$next") ]] && command=$next
  done
  [[ $current == '=' ]] && current=''
  case $takes in
    '') mapfile -t COMPREPLY < <(compgen -W "$(_logvault_words "$command")" -- "$current") ;;
    word) ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$takes" -- "$current") ;;
  esac
  # Where nothing of ours fits, it may be the file or the folder that a command is given.
  if [[ -z $takes && $current != -* && ${#COMPREPLY[@]} == 0 ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
  return 0
}

complete -o filenames -F _logvault logvault
)sh";

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  std::string words, values;
  for (const CommandEntry& command : CommandsOf(app)) {
    std::vector<std::string> offered = command.nested;
    for (const OptionEntry& option : command.options) {
      offered.insert(offered.end(), option.names.begin(), option.names.end());
      if (option.takes == Takes::kNothing) continue;
      std::vector<std::string> cases;
      for (const std::string& name : option.names)
        cases.push_back("'" + command.path + " " + name + "'");
      values += "    " + Joined(cases, " | ") + ") " + AnswerFor(option) + " ;;\n";
    }
    words += "    '" + command.path + "') echo '" + Joined(offered) + "' ;;\n";
  }
  return "# bash completion for logvault, made of the tables that its --help prints.\n\n"
         "# What may stand behind a command: its subcommands and options.\n"
         "_logvault_words() {\n  case \"$1\" in\n" +
         words +
         "  esac\n}\n\n"
         "# What an option of a command takes: a word, a file, a folder, or one of several; "
         "nothing "
         "for a flag.\n"
         "_logvault_value() {\n  case \"$1 $2\" in\n" +
         values + "  esac\n}\n" + std::string(kWalk);
}

}  // namespace logvault::cli
