#!/bin/sh
# Stands in for the compiler's launcher where Holdfast is built a second time: `take_object.sh COMPILER ARG...` takes
# the object that the build in $FIRST_BUILD made of the same source. What that does not have is compiled.
object= dependencies= previous=
for word; do
   case $previous in
      -o) object=$word ;;
      -MF) dependencies=$word ;;
   esac
   previous=$word
done
made=$FIRST_BUILD/CMakeFiles/${object##*CMakeFiles/}
if [ -f "$made" ]; then
   echo "$object:" >"${dependencies:-/dev/null}"
   exec cp "$made" "$object"
fi
exec "$@"
