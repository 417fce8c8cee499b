// Judges resources as GitOps tools do. It reads one JSON document from standard input and writes one.
//
//	gitops kstatus    [resource, ...]                        -> [{status, message}, ...]
//	gitops health     {script, objects: [resource, ...]}     -> [{status, message}, ...]
//	gitops discover   {script, objects: [resource, ...]}     -> [{action: {disabled}}, ...]
//	gitops action     {script, objects: [resource, ...]}     -> [merge patch, ...]
//
// kstatus is the library that Flux, kpt and `helm --wait` ask. The other three run Lua as Argo CD does:
// the same interpreter, without the string library, one second for a script, and of an action's answer
// only what differs is sent, as a merge patch.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	lua "github.com/yuin/gopher-lua"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

const scriptTimeout = time.Second

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type request struct {
	Script  string                       `json:"script"`
	Objects []*unstructured.Unstructured `json:"objects"`
}

func kstatusOf(object *unstructured.Unstructured) (any, error) {
	result, err := status.Compute(object)
	if err != nil {
		return nil, err
	}
	return verdict{string(result.Status), result.Message}, nil
}

// The libraries that Argo CD opens for scripts of users. What is not here (string, math, io, and os as a
// global) fails there as it does here; of os, require("os") gives time and date alone.
func openLibraries(state *lua.LState) error {
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		call := lua.P{Fn: state.NewFunction(library.open), Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return err
		}
	}
	state.PreloadModule(lua.OsLibName, safeOs)
	return nil
}

func safeOs(state *lua.LState) int {
	lua.OpenOs(state)
	whole, library := state.Get(-1), state.NewTable()
	for _, name := range []string{"time", "date"} {
		library.RawSetString(name, state.GetField(whole, name))
	}
	state.SetGlobal(lua.OsLibName, lua.LNil)
	state.Push(library)
	return 1
}

// A number of a resource is an int64 there, which gopher-json leaves out.
func toLua(state *lua.LState, value any) lua.LValue {
	switch typed := value.(type) {
	case int64:
		return lua.LNumber(typed)
	case []any:
		list := state.NewTable()
		for _, item := range typed {
			list.Append(toLua(state, item))
		}
		return list
	case map[string]any:
		table := state.NewTable()
		for key, item := range typed {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return luajson.DecodeValue(state, value)
}

func run(script string, object *unstructured.Unstructured) ([]byte, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	if err := openLibraries(state); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(context.Background(), scriptTimeout)
	defer cancel()
	state.SetContext(limited)
	state.SetGlobal("obj", toLua(state, object.Object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	answer := state.Get(-1)
	if answer.Type() != lua.LTTable {
		return nil, fmt.Errorf("the script returned a %s, not a table", answer.Type())
	}
	return luajson.Encode(answer)
}

func healthOf(script string, object *unstructured.Unstructured) (any, error) {
	text, err := run(script, object)
	if err != nil {
		return nil, err
	}
	var found verdict
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, err
	}
	switch found.Status {
	case "Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown":
		return found, nil
	}
	return nil, fmt.Errorf("no health status of Argo CD: %q", found.Status)
}

func discovered(script string, object *unstructured.Unstructured) (any, error) {
	text, err := run(script, object)
	if err != nil {
		return nil, err
	}
	var actions map[string]any
	if string(text) == "[]" {
		return map[string]any{}, nil
	}
	return actions, json.Unmarshal(text, &actions)
}

// Lua knows no difference between an empty list and an empty object: it is what it was before.
func mended(now, before any) any {
	switch typed := now.(type) {
	case []any:
		if was, is := before.(map[string]any); is && len(typed) == 0 {
			return was
		}
		if was, is := before.([]any); is && len(was) == len(typed) {
			for i := range typed {
				typed[i] = mended(typed[i], was[i])
			}
		}
	case map[string]any:
		if was, is := before.(map[string]any); is {
			for key := range typed {
				typed[key] = mended(typed[key], was[key])
			}
		}
	}
	return now
}

func patchOf(script string, object *unstructured.Unstructured) (any, error) {
	text, err := run(script, object)
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(object.Object)
	if err != nil {
		return nil, err
	}
	var now, was any
	if err := json.Unmarshal(text, &now); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(before, &was); err != nil {
		return nil, err
	}
	after, err := json.Marshal(mended(now, was))
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	return json.RawMessage(patch), err
}

func answer(mode string, input []byte) (any, error) {
	var asked request
	var err error
	if mode == "kstatus" {
		err = json.Unmarshal(input, &asked.Objects)
	} else {
		err = json.Unmarshal(input, &asked)
	}
	if err != nil {
		return nil, err
	}
	answers := []any{}
	for _, object := range asked.Objects {
		var one any
		switch mode {
		case "kstatus":
			one, err = kstatusOf(object)
		case "health":
			one, err = healthOf(asked.Script, object)
		case "discover":
			one, err = discovered(asked.Script, object)
		case "action":
			one, err = patchOf(asked.Script, object)
		default:
			err = fmt.Errorf("no such question: %s", mode)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		answers = append(answers, one)
	}
	return answers, nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gitops kstatus|health|discover|action < document")
		os.Exit(2)
	}
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		var found any
		if found, err = answer(os.Args[1], input); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(found)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(1)
	}
}
