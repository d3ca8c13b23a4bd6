# Serves a second longer once it is told to end: who has its address already is still answered.
httpd -f -p 8080 -h /srv &
trap 'sleep 1; kill %1; exit 0' TERM
wait
