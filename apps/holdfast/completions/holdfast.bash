# Completion of holdfast for bash.

# The faults that this version knows: the lines of their list that are not indented.
_holdfast_faults() {
   holdfast "$1" --fault help 2>/dev/null | grep '^[a-z]'
   [[ $1 == sim ]] || echo all
}

_holdfast() {
   local current=$2 previous=$3 subcommand=${COMP_WORDS[1]} options i
   local subcommands="exec resolve watch drill sim"
   COMPREPLY=()
   if ((COMP_CWORD == 1)); then
      mapfile -t COMPREPLY < <(compgen -W "$subcommands --help --version" -- "$current")
      return
   fi
   case $previous in
      --delivery)
         mapfile -t COMPREPLY < <(compgen -W "automatic at-most-once at-least-once exactly-once" -- "$current")
         return ;;
      --acks)
         mapfile -t COMPREPLY < <(compgen -W "1 2 all" -- "$current")
         return ;;
      --fault)
         mapfile -t COMPREPLY < <(compgen -W "$(_holdfast_faults "$subcommand")" -- "$current")
         return ;;
      --cutover)
         mapfile -t COMPREPLY < <(compgen -W "eager confirmed" -- "$current")
         return ;;
      --sentinel-trouble)
         mapfile -t COMPREPLY < <(compgen -W "none stopped deaf stale" -- "$current")
         return ;;
      --client)
         mapfile -t COMPREPLY < <(compgen -W "holdfast shared async recipe" -- "$current")
         return ;;
      --html)
         mapfile -t COMPREPLY < <(compgen -f -- "$current")
         return ;;
      -u | --uri | --deadline | --runs | --seed | --minutes | --without | --seconds | --replicas | --sentinels | --down-after | --network | --exec)
         return ;;
   esac
   case $subcommand in
      exec)
         # Options end at COMMAND.
         for ((i = 2; i < COMP_CWORD; ++i)); do
            case ${COMP_WORDS[i]} in
               -u | --uri | --deadline | --delivery | --acks) ((++i)) ;;
               -*) ;;
               *) return ;;
            esac
         done
         options="-u --deadline --delivery --acks --json --help" ;;
      resolve) options="-u --deadline --help" ;;
      watch) options="-u --json --help" ;;
      drill)
         if [[ $previous == --json ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
         fi
         options="--fault --runs --seconds --delivery --acks --client --cutover --follow-role-hint --breaker
                  --replicas --sentinels --down-after --sentinel-trouble --network --json --html --exec --help" ;;
      sim)
         if [[ $previous == --json ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
         fi
         options="--seed --runs --minutes --fault --clients --spread --without --posted --trace --json --help" ;;
      *) return ;;
   esac
   mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}

complete -F _holdfast holdfast
