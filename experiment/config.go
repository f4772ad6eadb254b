package experiment

import (
	"fmt"
	"slices"

	"github.com/simterpose/simterpose/network"
)

// configure takes over the options of the platform's <config> element. The
// experiment file and the command line come before it.
func (l *loader) configure() {
	var names []string
	for name := range l.Platform.Config {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := l.Platform.Config[name]
		switch {
		case name != "network/model" && network.OptionUsed(name):
			// Taken up by the network's model or the platform itself.
		case name != "network/model":
			l.warnf("%s: config option %s is not used", l.Platform.File, name)
		case l.Network.Model != "":
		default:
			l.Network.Model = value
			if _, err := network.ModelByName(value); err != nil {
				l.add(fmt.Errorf("%s: config option %s: %w", l.Platform.File, name, err))
			}
		}
	}
	if l.Network.Model == "" {
		l.Network.Model = network.ModelNames[0]
	}
	if model, err := network.ModelByName(l.Network.Model); err == nil {
		l.Network.Model = model.Name
	}
}
