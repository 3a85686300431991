import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** Names that may stand as an argument, by the argument's name. */
type ArgumentNames = Readonly<Record<string, readonly string[]>>;

/** What can be completed after a command: ` run`, ` data add`; the program itself is the empty text. */
interface Place {
  readonly path: string;
  readonly command: Command;
  /** Subcommands, flags, names of arguments. */
  readonly words: readonly string[];
  /** Flags that take a value, with the choices where there are any. */
  readonly flags: readonly { readonly flag: string; readonly choices: readonly string[] }[];
}

/** A script for a shell that completes commands, flags, choices and the names of arguments of a program. */
export function completionScript(program: Command, shell: Shell, names: ArgumentNames): string {
  const places = placesOf(program, '', names);
  if (shell === 'fish') return fishScript(program.name(), places);
  return shell === 'bash' ? bashScript(program.name(), places) : zshScript(program.name(), places);
}

function placesOf(command: Command, path: string, names: ArgumentNames): Place[] {
  const visible = command.options.filter((option) => !option.hidden);
  const place: Place = {
    path,
    command,
    words: [
      ...command.commands.map((child) => child.name()),
      ...visible.map((option) => option.long!),
      '--help',
      ...command.registeredArguments.flatMap(
        (argument) => argument.argChoices ?? names[argument.name()] ?? [],
      ),
    ],
    flags: visible
      .filter(takesValue)
      .map(({ long, argChoices }) => ({ flag: long!, choices: argChoices ?? [] })),
  };
  return [place, ...command.commands.flatMap((child) => placesOf(child, `${path} ${child.name()}`, names))];
}

const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** Lines of a `case` statement that bash and zsh share: where the words before the cursor lead. */
function walkCases(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `"${path}"`);
  return `case "$at $word" in ${known.join('|')}) at="$at $word" ;; esac`;
}

/** Words to offer, by place and by the flag before the cursor; no words where the flag takes a file. */
function wordCases(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, flags, words }) => [
    ...flags.map(({ flag, choices }) => `    "${path}:${flag}") offers="${choices.join(' ')}" ;;`),
    `    "${path}:"*) offers="${words.join(' ')}" ;;`,
  ]);
  return ['  case "$at:$previous" in', ...lines, '  esac'].join('\n');
}

function bashScript(name: string, places: readonly Place[]): string {
  return `_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" at="" offers="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    ${walkCases(places)}
  done
${wordCases(places)}
  COMPREPLY=($(compgen -W "$offers" -- "$current"))
}
complete -o default -F _${name} ${name} lossledger
`;
}

function zshScript(name: string, places: readonly Place[]): string {
  return `_${name}() {
  local previous="$words[CURRENT-1]" at="" offers="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    ${walkCases(places)}
  done
${wordCases(places)}
  compadd -- \${=offers} || _files
}
compdef _${name} ${name} lossledger
`;
}

function fishScript(name: string, places: readonly Place[]): string {
  const lines = places.flatMap(({ path, command, flags, words }) => {
    const line = (rest: string) => `complete -c ${name} -n "__${name}_at '${path.trim()}'" ${rest}`;
    const choices = new Map(flags.map((entry) => [entry.flag, entry.choices]));
    const options = command.options.filter((option) => !option.hidden);
    const bare = words.filter((word) => !word.startsWith('--'));
    return [
      ...(bare.length > 0 ? [line(`-a "${bare.join(' ')}"`)] : []),
      ...options.map(({ long }) => line(`-l ${long!.slice(2)}${valueOf(choices.get(long!))}`)),
    ];
  });
  const known = places.slice(1).map(({ path }) => `'${path.trim()}'`);
  return `function __${name}_at
  set -l at ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$at $word")
    contains -- "$next" ${known.join(' ')}; and set at $next
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function valueOf(choices: readonly string[] | undefined): string {
  if (choices === undefined) return '';
  return choices.length === 0 ? ' -r' : ` -x -a "${choices.join(' ')}"`;
}
