package experiment

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentedExamplesLoad reads every YAML example of the reference, with
// what it leaves out put around it.
func TestDocumentedExamplesLoad(t *testing.T) {
	text, err := os.ReadFile("../docs/experiment.md")
	if err != nil {
		t.Fatal(err)
	}
	const process = "processes: [{hosts: '*', command: [sh]}]\n"
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	if len(blocks) < 15 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, block := range blocks {
		example, _, _ := strings.Cut(block, "```")
		files := map[string]string{"small_platform.xml": twoHosts, "logo.png": "", "cluster.conf.in": ""}
		switch {
		case strings.HasPrefix(example, "  - "):
			files["lab.yaml"] = hosts + "processes:\n" + example
		case strings.Contains(example, "processes:"):
			files["lab.yaml"] = example
		case strings.Contains(example, "platform:"):
			files["lab.yaml"] = example + process
		default:
			files["lab.yaml"] = hosts + example + process
		}
		t.Run("", func(t *testing.T) {
			write(t, files)
			// The machine need not have python3 and curl.
			if _, err := Load("lab.yaml", Overrides{}); err != nil && !strings.HasSuffix(err.Error(), "not found") {
				t.Errorf("%v in\n%s", err, files["lab.yaml"])
			}
		})
	}
	_, xml, _ := strings.Cut(string(text), "```xml\n")
	xml, _, _ = strings.Cut(xml, "```")
	if _, err := loadDeployment(t, "<platform version=\"4.1\">\n"+xml+"</platform>\n"); err != nil && !strings.HasSuffix(err.Error(), "not found") {
		t.Error(err)
	}
}
