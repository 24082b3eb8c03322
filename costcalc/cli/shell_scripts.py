"""The scripts with which shells ask costcalc for completions: `--show-completion`, `--install-completion`.

typer's own part words at =, : and @, and put a space behind `depth=`.
"""

from __future__ import annotations

import os
from pathlib import Path

from costcalc.errors import UsageError, unknown

SHOW, INSTALL = "--show-completion", "--install-completion"
BASH = """\
_costcalc_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(_COSTCALC_COMPLETE=bash _COSTCALC_LINE="${COMP_LINE:0:COMP_POINT}" \\
             _COSTCALC_BREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:@,] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o default -F _costcalc_completion costcalc
"""
ZSH = """\
#compdef costcalc
_costcalc_completion() {
    local line word typed="${(F)${(@Q)words[1,CURRENT-1]}}"$'\\n'"${(Q)PREFIX}"
    local -a whole about_whole begun about_begun
    for line in "${(@f)$(_COSTCALC_COMPLETE=zsh _COSTCALC_WORDS="$typed" ${~words[1]} 2>/dev/null)}"; do
        word="${line%%$'\\t'*}"
        if [[ -z $word ]]; then
            continue
        elif [[ $word == *[=:@,] ]]; then
            begun+=("$word"); about_begun+=("${${line/$'\\t'/  -- }%  -- }")
        else
            whole+=("$word"); about_whole+=("${${line/$'\\t'/  -- }%  -- }")
        fi
    done
    if (( $#whole + $#begun == 0 )); then
        _files
        return
    fi
    (( $#whole )) && compadd -l -d about_whole -a whole
    (( $#begun )) && compadd -S '' -l -d about_begun -a begun
    return 0
}
if [[ $funcstack[1] == _costcalc ]]; then
    _costcalc_completion "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _costcalc_completion costcalc
fi
"""
FISH = """\
function __costcalc_completion
    set -l words (commandline -opc)
    set -l line (commandline -cp | string collect)
    set -l found (env _COSTCALC_COMPLETE=fish _COSTCALC_LINE="$line" $words[1] 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command costcalc --no-files --arguments '(__costcalc_completion)'
"""
POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName costcalc -ScriptBlock {
    param($word, $command, $cursor)
    $text = $command.ToString().PadRight($cursor - $command.Extent.StartOffset)
    $Env:_COSTCALC_COMPLETE = 'powershell'
    $Env:_COSTCALC_LINE = $text.Substring(0, $cursor - $command.Extent.StartOffset)
    costcalc | ForEach-Object {
        $value, $about = $_ -split "`t", 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
    $Env:_COSTCALC_COMPLETE = $null
    $Env:_COSTCALC_LINE = $null
}
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL, "pwsh": POWERSHELL}
PLACES = {  # below the home folder: the script's file, the shell's own, and the line in that which reads the script
    "bash": (".bash_completions/costcalc.sh", ".bashrc", "source ~/.bash_completions/costcalc.sh"),
    "zsh": (".zfunc/_costcalc", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
    "fish": (".config/fish/completions/costcalc.fish", "", ""),
}


def is_asked(arguments: list[str]) -> bool:
    """Is a script asked for, to be shown or installed?"""
    return bool(arguments) and arguments[0].partition("=")[0] in (SHOW, INSTALL)


def script(shell: str) -> str:
    """The script for a shell. Raises UnknownName."""
    if shell not in SCRIPTS:
        raise unknown("shell", shell, SCRIPTS)
    return SCRIPTS[shell]


def answer(arguments: list[str]) -> str:
    """What the option prints. Raises UnknownName, UsageError and OSError."""
    option, _, shell = arguments[0].partition("=")
    if len(arguments) > 2 or (shell and len(arguments) > 1):
        raise UsageError(f"{option} takes the name of one shell: {', '.join(SCRIPTS)}")
    shell = shell or (arguments[1] if len(arguments) == 2 else this_shell())
    return script(shell) if option == SHOW else install(shell)


def this_shell() -> str:
    """The shell that runs costcalc. Raises UsageError if it is none of those that are known."""
    import shellingham

    try:
        name = str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        name = Path(os.environ.get("SHELL", "")).name
    if name not in SCRIPTS:
        raise UsageError(f"name the shell: {', '.join(SCRIPTS)}")
    return name


def install(shell: str) -> str:
    """Writes the script into the home folder, and into the shell's own file the line that reads it, once. Returns what
    was written. Raises UnknownName, UsageError and OSError."""
    from costcalc.files import write

    text = script(shell)
    if shell not in PLACES:
        raise UsageError(f"add to $PROFILE: costcalc {SHOW} {shell} | Out-String | Invoke-Expression")
    at, own, line = PLACES[shell]
    path = Path.home() / at
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, text)
    if own:
        _add_line(Path.home() / own, line)
    return f"{path} has the completions of {shell}; they work in the next shell that you open\n"


def _add_line(path: Path, line: str) -> None:
    from costcalc.files import write

    there = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if line not in there.splitlines():
        end = "\n" if there and not there.endswith("\n") else ""
        write(path, f"{there}{end}{line}\n".encode("utf-8", "surrogateescape"))
