"""The scripts that shells read. Each asks ``dlkit completion SHELL --line LINE`` at a key, and knows nothing itself."""

BASH = """\
# dlkit's completion for bash:  eval "$(dlkit completion bash)"  in ~/.bashrc
_dlkit_completion() {
    local IFS=$'\\n' found
    found=$("$1" completion bash --breaks "$COMP_WORDBREAKS" --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null) || return
    if [[ $found == :files ]]; then
        compopt -o default 2>/dev/null
        COMPREPLY=()
    else
        COMPREPLY=($found)
    fi
}
complete -o nosort -F _dlkit_completion dlkit
"""

ZSH = """\
#compdef dlkit
# dlkit's completion for zsh:  eval "$(dlkit completion zsh)"  in ~/.zshrc, after compinit
_dlkit_completion() {
    local line value about
    local -a values shown
    while IFS=$'\\t' read -r value about; do
        if [[ $value == :files ]]; then
            _files
            return
        fi
        values+=("$value")
        shown+=("${value}${about:+  -- $about}")
    done < <("${words[1]}" completion zsh --line "${(j: :)words[1,CURRENT]}" 2>/dev/null)
    (( $#values )) && compadd -U -l -V dlkit -d shown -a values
}
compdef _dlkit_completion dlkit
"""

FISH = """\
# dlkit's completion for fish:  dlkit completion fish > ~/.config/fish/completions/dlkit.fish
function __dlkit_completion
    set -l found (command dlkit completion fish --line (commandline -cp | string collect) 2>/dev/null)
    if test "$found" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $found
    end
end
complete -c dlkit -f -k -a '(__dlkit_completion)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
