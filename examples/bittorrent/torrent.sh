# Makes data/content and content.torrent, the same on each host.
mkdir data
openssl enc -aes-128-ctr -K 0 -iv 0 -nosalt </dev/zero 2>/dev/null | head -c 4M >data/content
sum=$(sha256sum <data/content)
address=$(getent ahostsv4 tracker | awk 'NR == 1 { print $1 }')
transmission-create -t "http://$address:6969/announce" -s 64 -o content.torrent data/content >/dev/null
options="--dir=data --enable-dht=false --enable-dht6=false --bt-enable-lpd=false --file-allocation=none
	--show-console-readout=false --summary-interval=0 --console-log-level=warn"
