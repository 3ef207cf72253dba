# Completion of holdfast for fish.

# The faults that this version knows: the lines of their list that are not indented.
function __holdfast_faults
    holdfast drill --fault help 2>/dev/null | string match -r '^\S+'
    echo all
end

# Options of exec end at COMMAND: whether that is still to come.
function __holdfast_before_command
    set -l words (commandline -opc)
    test "$words[2]" = exec; or return 1
    set -l skip no
    for word in $words[3..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word -u --uri --deadline --delivery --acks
            set skip yes
        else if not string match -q -- '-*' $word
            return 1
        end
    end
    return 0
end

complete -c holdfast -f
complete -c holdfast -n __fish_use_subcommand -a exec -d 'Run one command on the master'
complete -c holdfast -n __fish_use_subcommand -a resolve -d 'Print host:port of the master'
complete -c holdfast -n __fish_use_subcommand -a watch -d 'Print what happens in the deployment'
complete -c holdfast -n __fish_use_subcommand -a drill -d 'Break real Redis deployments under a workload'
complete -c holdfast -n __fish_use_subcommand -a sim -d 'Many failovers in simulated worlds'
complete -c holdfast -n __fish_use_subcommand -l version -d 'Print the version'
complete -c holdfast -n __fish_use_subcommand -s h -l help -d 'Print the help'

complete -c holdfast -n __holdfast_before_command -s u -l uri -x -d 'Where the servers are'
complete -c holdfast -n __holdfast_before_command -l deadline -x -a '1s 10s 30s 2m' -d 'How long it may take'
complete -c holdfast -n __holdfast_before_command -l delivery -x \
    -a 'automatic at-most-once at-least-once exactly-once' -d 'What may be sent again'
complete -c holdfast -n __holdfast_before_command -l acks -x -a '1 2 all' -d 'Replicas that must have the write'
complete -c holdfast -n __holdfast_before_command -l json -d 'Print one line of JSON'
complete -c holdfast -n __holdfast_before_command -s h -l help -d 'Print the help'

complete -c holdfast -n '__fish_seen_subcommand_from resolve watch' -s u -l uri -x -d 'Where the servers are'
complete -c holdfast -n '__fish_seen_subcommand_from resolve' -l deadline -x -a '1s 10s 30s 2m' -d 'How long it may take'
complete -c holdfast -n '__fish_seen_subcommand_from watch' -l json -d 'Print one line of JSON for each event'
complete -c holdfast -n '__fish_seen_subcommand_from resolve watch drill sim' -s h -l help -d 'Print the help'

complete -c holdfast -n '__fish_seen_subcommand_from drill' -l fault -x -a '(__holdfast_faults)' -d 'Which faults'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l runs -x -d 'Runs of each fault'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l seconds -x -d 'Length of a run'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l delivery -x \
    -a 'automatic at-most-once at-least-once exactly-once' -d 'What may be sent again'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l acks -x -a '1 2 all' -d 'Replicas that must have the write'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l client -x -a 'holdfast shared async recipe' -d 'The client'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l cutover -x -a 'eager confirmed' \
    -d 'When the client leaves the old master'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l follow-role-hint -d 'Take a node\'s own word'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l sentinel-trouble -x -a 'none stopped deaf stale' \
    -d 'Besides each failover'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l network -x -d 'What the client\'s connections go through'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l replicas -x -d 'How many replicas'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l sentinels -x -d 'How many Sentinels'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l down-after -x -d 'In milliseconds'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l breaker -d 'Switch the circuit breaker on'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l json -r -F -d 'Write the results there'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l html -r -F -d 'Write a page there'
complete -c holdfast -n '__fish_seen_subcommand_from drill' -l exec -x -d 'Run this program instead'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l seed -x -d 'The first world'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l runs -x -d 'How many worlds'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l minutes -x -d 'No world begins later'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l fault -x \
    -a '(holdfast sim --fault help 2>/dev/null | string match -r "^\\S+")' -d 'Only these faults'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l clients -x -d 'One world with so many clients'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l spread -x -d 'Each waits a part of this before it reconnects'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l without -x -d 'Leave out these faults, by their place'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l posted -d 'Calls come through a mailbox'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l trace -d 'Print all that happens in one world'
complete -c holdfast -n '__fish_seen_subcommand_from sim' -l json -r -F -d 'Write the figures there'
